"""A note-taker says nothing and keeps what matters; an interpreter knows some forty sentences, and says so."""

import pytest

from sandbox.speech.dialogue.phrase_book import BOOK, translated
from tests.speech.dialogue.night import NOTE, Night

UNKNOWN = "I could not translate that. No he podido traducir eso."


def interpreting() -> Night:
    return Night(NOTE, instructions="You are now the interpreter between the caller and Ana.")


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("El agua cae por el techo.", "The water is coming through the ceiling."),
        ("Where is the water coming from?", "¿De dónde viene el agua?"),
        ("where is the water comin from", "¿De dónde viene el agua?"),
        ("I will be there in twenty minutes.", "Estaré allí en veinte minutos."),
        ("Hay 4 personas", "There are 4 people."),
        ("No hay nadie herido. El agua no para.", "Nobody is hurt. The water does not stop."),
    ],
)
def test_what_one_says_is_said_in_the_others_language(said: str, other: str) -> None:
    assert interpreting().says(said) == other


@pytest.mark.parametrize("said", ["The moon is made of cheese.", "El gato del vecino canta bien."])
def test_what_is_not_in_its_book_it_says_plainly_to_both(said: str) -> None:
    assert interpreting().says(said) == UNKNOWN


def test_it_answers_nothing_and_uses_no_tool() -> None:
    night = interpreting()
    night.says("What is the address?")
    assert night.says("Mhm.") == ""
    assert night.called == []


@pytest.mark.parametrize("pair", BOOK, ids=lambda pair: pair[0])
def test_every_sentence_of_the_book_is_found_both_ways(pair: tuple[str, str]) -> None:
    english, spanish = (side.replace("#", "3") for side in pair)
    if english == spanish:
        return
    assert [one.text for one in translated(english) or ()] == [spanish]
    assert [one.text for one in translated(spanish) or ()] == [english]


def test_each_language_is_spoken_as_itself() -> None:
    assert [one.language for one in translated("Hay fuego. There is a fire.") or ()] == ["en", "es"]


def test_a_note_taker_keeps_what_is_said_and_says_nothing() -> None:
    night = Night(NOTE, instructions="You are now the note-taker.")
    assert night.says("The main valve is closed now.") == ""
    assert night.used == [("note", {"text": "The main valve is closed now."})]
    night.gives_back(ok=True)
    assert night.says("Okay, thanks.") == ""
    assert night.says("Where is the main valve then?") == ""
    assert len(night.used) == 1
