"""Numbers, places, telephone numbers, yes and no, topics: as they are spoken and as ears write them down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.speech.dialogue.conventions import Role, read_orders
from sandbox.speech.dialogue.places import find_number, find_place, place_from_answer
from sandbox.speech.dialogue.topics import topics_of
from sandbox.speech.dialogue.words import DIGITS, Answer, language_of, read_back, with_digits, yes_or_no


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("412 Oak Street", "412 Oak Street"),
        ("The address is four twelve Oak Street, apartment seven.", "412 Oak Street, apartment 7"),
        ("The address is 412 Oak Street, Apartment 7.", "412 Oak Street, apartment 7"),
        ("It's 4 12 Oak St. Apt 7B", "412 Oak St, apartment 7B"),
        ("I'm at twenty-one Elm Avenue, unit three", "21 Elm Avenue, unit 3"),
        ("one hundred and four River Road", "104 River Road"),
        ("1600 Martin Luther King Boulevard", "1600 Martin Luther King Boulevard"),
        ("Estoy en la calle Mayor, número cuatro, piso 2", "calle Mayor 4, piso 2"),
        ("There is water coming through the ceiling.", None),
        ("I have been waiting for 20 minutes on the street.", None),
    ],
)
def test_an_address_is_found_however_its_numbers_are_spoken(said: str, place: str | None) -> None:
    assert find_place(said) == place


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("Um, it's at the Riverside Clinic.", "the Riverside Clinic"),
        ("Building 7", "Building 7"),
        ("yes", None),
        ("uh", None),
    ],
)
def test_who_is_asked_for_a_place_may_name_one_without_a_street(said: str, place: str | None) -> None:
    assert place_from_answer(said) == place


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("My phone number is five five five, zero one four two.", "5550142"),
        ("555-0142", "5550142"),
        ("It's 202 555 0111", "2025550111"),
        ("+1 202 555 0111", "+12025550111"),
        ("five five five oh one four two", "5550142"),
        ("seis uno dos, tres cuatro cinco, seis siete ocho", "612345678"),
        ("I am at 412 Oak Street", None),
    ],
)
def test_a_telephone_number_is_found_however_it_is_spoken(said: str, number: str | None) -> None:
    assert find_number(said) == number


@given(st.text("0123456789", min_size=1, max_size=12), st.sampled_from(["en", "es"]))
def test_what_is_read_back_is_understood_as_it_was(number: str, language: str) -> None:
    spoken = read_back(number, language)
    assert set(spoken.split()) <= set(DIGITS[language])
    assert with_digits(f"number {spoken}").split()[-1] == number


@pytest.mark.parametrize("text", ["no one is hurt", "the one I told you about", "Is there water? No."])
def test_words_that_only_look_like_numbers_stay_words(text: str) -> None:
    assert with_digits(text) == text


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Yes, I can take it.", Answer.YES),
        ("Except.", Answer.YES),
        ("Sí", Answer.YES),
        ("C es correcto.", Answer.YES),
        ("No, I cannot take it right now.", Answer.NO),
        ("That's not right", Answer.NO),
        ("Know.", Answer.NO),
        ("412 Oak Street", None),
        ("I want to speak to your manager right now!", None),
        ("There is no power in the house.", None),
        ("Oh God, yes, please hurry", Answer.YES),
        ("Well, no.", Answer.NO),
        ("Yeah, it's right.", Answer.YES),
        ("", None),
    ],
)
def test_yes_and_no(said: str, answer: Answer | None) -> None:
    assert yes_or_no(said) is answer


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("The pipe under the kitchen sink burst and it is flooding.", "water"),
        ("The elevator is stuck and someone is inside.", "elevator"),
        ("We have no heat and there is a newborn in the house.", "heating"),
        ("The power is out in the whole building.", "electrical"),
        ("I am locked out of my apartment.", "lockout"),
        ("My daughter has a fever of one hundred and four.", "medication"),
        ("The sewage is backing up into the bathtub.", "water"),
        ("I think I took too many pills.", "medical"),
    ],
)
def test_the_kind_of_trouble_is_known_by_its_words(said: str, topic: str) -> None:
    assert topic in [found.name for found in topics_of(said)]


def test_the_language_is_told_by_its_small_words() -> None:
    assert language_of("Hay agua en el techo de mi casa") == "es"
    assert language_of("There is water in my house") == "en"
    assert language_of("Spanish, please") == "es"
    assert language_of("412") is None


def test_orders_are_read_wherever_they_stand() -> None:
    ordered = read_orders(
        "You work for Harbor.\nGreet with: “Good evening.”\nLanguages: en, es\nLanguage: es"
    )
    assert (ordered.greeting, ordered.language, ordered.languages) == ("Good evening.", "es", ("en", "es"))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (
            'Say exactly this and nothing else: "The \\"second\\" engineer.\\nStay."',
            'The "second" engineer.\nStay.',
        ),
        ('Say exactly this and nothing else: "She said "yes" to it."', 'She said "yes" to it.'),
        ("Say exactly this and nothing else: “Está llamando.”", "Está llamando."),
        ("Say exactly this and nothing else: nothing in quotes", ""),
    ],
)
def test_words_to_be_said_are_quoted_as_json_or_as_people_do(order: str, words: str) -> None:
    assert read_orders(order).exactly == words


def test_of_several_roles_in_one_text_the_last_counts() -> None:
    assert read_orders("You are now the coach of Ana. You are now silent.").role is Role.SILENT
    assert read_orders("You are now the coach of Ana-Maria O'Neil (engineer).").person == "Ana-Maria O'Neil"


@given(st.text(max_size=80))
def test_no_text_trips_the_dialogue(text: str) -> None:
    read_orders(text)
    list(topics_of(text))
    find_place(text)
    find_number(text)
    yes_or_no(text)
    language_of(text)
