"""TwiML as text, and the phrases in it."""

from string import Formatter
from typing import get_args

import pytest

from api import phrases, twiml
from api.phrases import Phrase, phrase, severity, verdict
from api.twiml import Menu, Seat
from tests.api.twilio_side import Twiml
from workflows.sentences import LANGUAGES, Language
from workflows.values import ActReply, Severity, Verdict

HELLO = [("en", "Hello & <welcome>"), ("es-ES", "Hola")]
SEAT = Seat("af-x", "caller-x-1", "https://a/left", "https://a/events")


def read(text: str) -> Twiml:
    return Twiml(200, text)


def test_sentences_are_said_in_their_languages_and_escaped() -> None:
    found = read(twiml.say(HELLO))
    assert found.languages == ["en-US", "es-ES"]
    assert "Hello &amp; &lt;welcome&gt;" in found.text


def test_no_verb_at_all_is_still_a_document() -> None:
    assert twiml.nothing() == '<?xml version="1.0" encoding="UTF-8"?><Response />'
    assert read(twiml.hang_up()).verbs == ["Hangup"]


def test_a_menu_takes_any_key_while_it_is_still_being_said_and_hears_silence() -> None:
    found = read(twiml.ask(Menu(HELLO, "https://a/menu", 6.4)))
    assert found.verbs == ["Gather", "Redirect"]
    assert found.one("Gather").attrib == {
        "numDigits": "1",
        "timeout": "6",
        "finishOnKey": "",
        "action": "https://a/menu",
        "method": "POST",
        "actionOnEmptyResult": "true",
    }
    assert len(list(found.one("Gather"))) == 2
    assert found.words("Redirect") == "https://a/menu"


def test_a_page_is_asked_for_a_key_and_silence_is_not_sent() -> None:
    found = read(twiml.ask_or(Menu(HELLO, "https://a/key"), [("en", "Goodbye")]))
    assert found.verbs == ["Gather", "Say", "Hangup"]
    assert found.attribute("Gather", "actionOnEmptyResult") == "false"
    onward = read(twiml.ask_or(Menu(HELLO, "https://a/key"), [], "https://a/next"))
    assert onward.verbs == ["Gather", "Redirect"]


@pytest.mark.parametrize(("wait_s", "timeout"), [(0.2, "1"), (1, "1"), (5.6, "6")])
def test_a_menu_always_waits_a_whole_second_or_more(wait_s: float, timeout: str) -> None:
    assert read(twiml.ask(Menu((), "https://a", wait_s))).attribute("Gather", "timeout") == timeout


def test_no_leg_ends_the_room_and_every_leg_has_a_time_limit() -> None:
    found = read(twiml.enter_room(HELLO, SEAT))
    assert found.attribute("Conference", "endConferenceOnExit") == "false"
    assert found.attribute("Conference", "beep") == "false"
    assert found.attribute("Dial", "timeLimit") == "14400"
    assert "hangupOnStar" not in found.one("Dial").attrib
    assert "waitUrl" not in found.one("Conference").attrib
    assert found.verbs == ["Say", "Say", "Dial"]


def test_a_caller_has_a_way_back_and_a_responder_a_way_out() -> None:
    assert read(twiml.enter_room((), SEAT, recovery="https://a/left")).words("Redirect") == "https://a/left"
    seat = Seat("af-x", "r", "https://a/left", "https://a/events", star_leaves=True)
    assert read(twiml.enter_room((), seat)).attribute("Dial", "hangupOnStar") == "true"


def test_a_recording_ends_and_is_asked_for_without_one_too() -> None:
    found = read(twiml.record((), "https://a/message"))
    assert found.verbs == ["Record", "Redirect"]
    assert int(found.attribute("Record", "maxLength")) <= 180
    assert found.attribute("Record", "playBeep") == "true"


def test_a_text_reply_or_none() -> None:
    assert read(twiml.text_reply("Received.")).words("Message") == "Received."
    assert read(twiml.text_reply(None)).verbs == []


# Phrases


@pytest.mark.parametrize("which", get_args(Phrase))
def test_every_phrase_is_there_in_every_language_with_the_same_fields(which: Phrase) -> None:
    texts = [phrases.template(which, language) for language in LANGUAGES]
    fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
    assert all(found == fields[0] for found in fields)
    assert len(set(texts)) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_severity_and_verdict_can_be_said(language: Language) -> None:
    assert len({severity(one, language) for one in Severity}) == len(Severity)
    for one in Verdict:
        said = verdict(ActReply(one, "As the workflow says.", owner="Ana"), language)
        assert said[1]
        if one is Verdict.TAKEN and language == "es":
            assert "Ana" in said[1]


def test_in_english_the_workflows_own_sentence_is_said() -> None:
    assert verdict(ActReply(Verdict.YOURS, "You have it."), "en") == ("en", "You have it.")


def test_a_phrase_is_filled_in() -> None:
    assert phrase("offer", "en", accept="4", decline="7") == ("en", "Press 4 to take it, press 7 to pass.")
