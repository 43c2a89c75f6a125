"""Sentences are true, complete in every language, and carry nothing about the caller."""

import string
from dataclasses import replace
from typing import get_args

import pytest

from tests.workflows.night import LINE, a_case, at
from workflows import sentences
from workflows.sentences import LANGUAGES, Language, case_state, danger, fact, language_of, ordinal
from workflows.values import Fact, FactKind, Severity

KINDS: tuple[FactKind, ...] = get_args(FactKind)


def spoken(kind: FactKind, language: str = "en") -> str:
    """A fact as a caller on a line of that language hears it."""
    told = Fact("esc#1", kind, rung=2, name="Ana", until=at(42 * 60))
    heard = fact(told, replace(LINE, languages=(language,), time_zone="Europe/Madrid"))
    return " ".join(sentence for _, sentence in heard)


def test_the_danger_sentence_is_said_in_every_language_of_the_line_digit_by_digit() -> None:
    assert danger("112", ("es", "en-GB", "es-MX")) == (
        ("es", "Si alguien está en peligro, cuelgue y marque el 1 1 2."),
        ("en", "If anyone is in danger, hang up and dial 1 1 2."),
    )


def test_a_line_without_a_language_of_ours_still_says_the_danger_sentence() -> None:
    assert danger("911", ()) == danger("911", ("en",))
    assert danger("911", ("fi",)) == danger("911", ("en",))


def test_the_owners_own_danger_sentence_comes_before_ours() -> None:
    line = replace(LINE, danger=(("en", "Dial 9 1 1 if anybody is hurt."),))
    assert fact(Fact("esc#1", "danger"), line) == line.danger


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_has_its_sentence_in_every_language(kind: FactKind, language: Language) -> None:
    sentence = spoken(kind, language)
    assert len(sentence) > 15
    assert not set(sentence) & set("{}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_says_who_which_and_when_from_the_state(language: Language) -> None:
    named: list[FactKind] = ["taken", "joining"]
    counted: list[FactKind] = ["ringing", "next", "still_ringing"]
    for kind in named:
        assert "Ana" in spoken(kind, language)
    for kind in counted:
        assert ordinal(2, language) in spoken(kind, language)
    assert "04:00" in spoken("exhausted", language), "03:00 UTC, on the line's own clock"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_ever_told_that_somebody_has_called_for_them_or_that_help_is_coming(kind: FactKind) -> None:
    sentence = spoken(kind).lower()
    for claim in ("ambulance", "on the way", "is coming", "have called", "i called", "police"):
        assert claim not in sentence


def test_rungs_are_counted_in_words_as_far_as_people_count() -> None:
    assert [ordinal(n, "en") for n in (1, 2, 8, 10, 11, 0)] == [
        "first",
        "second",
        "eighth",
        "tenth",
        "next",
        "next",
    ]
    assert ordinal(7, "es") == "séptima"


def test_the_first_language_that_we_speak_is_spoken() -> None:
    assert language_of(("fi", "es-MX", "en")) == "es"
    assert language_of(()) == "en"


@pytest.mark.parametrize("severity", Severity)
def test_a_page_carries_category_severity_code_and_link_and_nothing_about_the_caller(
    severity: Severity,
) -> None:
    case = a_case(severity, contact="+15550177")
    text = sentences.page_text(case, "4711", "https://example.test/a/1")
    for said in ("Clinic", "water", severity.value, "4711", "https://example.test/a/1"):
        assert said in text
    for secret in ("+15550177", "5550177", case.spoken):
        assert secret not in text
    assert len(text) <= 160, "one SMS segment"


def test_passing_by_sms_is_no_word_that_carriers_take_for_opting_out() -> None:
    text = sentences.page_text(a_case(), "4711", "")
    words = {word.strip(string.punctuation).upper() for word in text.split()}
    assert not words & {"STOP", "CANCEL", "END", "QUIT", "UNSUBSCRIBE", "STOPALL", "OPTOUT", "REVOKE"}


def test_a_test_page_says_so() -> None:
    assert sentences.page_text(replace(a_case(), test=True), "4711", "").startswith("TEST ")
    assert "TEST" not in sentences.page_text(a_case(), "4711", "")


def test_the_question_to_a_silent_owner_says_which_case_and_nothing_about_the_caller() -> None:
    question = sentences.owner_question(a_case(), "https://example.test/a/1")
    assert "water" in question
    assert "https://example.test/a/1" in question
    assert "5550177" not in question


@pytest.mark.parametrize(
    ("phase", "owner", "says"),
    [
        ("paging", None, "second person"),
        ("exhausted", None, "begins again"),
        ("connecting", "Ana", "Ana has it"),
        (None, None, "no open case"),
    ],
)
def test_a_caller_who_asks_hears_the_true_state_of_their_case(
    phase: str | None, owner: str | None, says: str
) -> None:
    language, sentence = case_state(phase, 2, owner, ("en",))
    assert language == "en"
    assert says in sentence


@pytest.mark.parametrize("phase", [None, "paging", "exhausted", "acknowledged"])
def test_the_state_of_a_case_is_told_in_the_callers_language(phase: str | None) -> None:
    language, sentence = case_state(phase, 1, "Ana" if phase == "acknowledged" else None, ("es",))
    assert language == "es"
    assert "caso" in sentence
