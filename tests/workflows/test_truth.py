"""The AI says nothing about people, times and services that no fact stands behind."""

import pytest

from workflows.sentences import LANGUAGES
from workflows.truth import Claim, Known, false_claims

NOBODY = Known()
ANA = Known(owner="Ana", names=("Ana", "Ben"))


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        ("Help is on the way.", {Claim.COMING}),
        ("Don't worry, somebody is coming right now.", {Claim.COMING}),
        ("An engineer will be there in ten minutes.", {Claim.COMING, Claim.TIME}),
        ("They're on their way and should be there soon.", {Claim.COMING}),
        ("I am sending a plumber.", {Claim.COMING}),
        ("I've sent someone to you.", {Claim.COMING}),
        ("The technician will arrive within the next 20 minutes.", {Claim.COMING, Claim.TIME}),
        ("If you wait, help will come.", {Claim.COMING}),
        ("I am not sure, but somebody is on the way.", {Claim.COMING}),
        ("Somebody will call you back shortly.", {Claim.COMING, Claim.TIME}),
        ("I have called an ambulance.", {Claim.SERVICES}),
        ("The fire department is on its way.", {Claim.SERVICES}),
        ("The police have been notified.", {Claim.SERVICES}),
        ("Your case is resolved.", {Claim.CLOSED}),
        ("Ana has accepted and is joining.", {Claim.PERSON}),
        ("La ayuda está en camino.", {Claim.COMING}),
        ("Un técnico llegará en diez minutos.", {Claim.COMING, Claim.TIME}),
        ("He llamado a una ambulancia.", {Claim.SERVICES}),
    ],
)
def test_what_nothing_stands_behind_is_a_false_claim(words: str, claims: set[Claim]) -> None:
    assert set(false_claims(words, NOBODY)) == claims


@pytest.mark.parametrize(
    "words",
    [
        "I cannot say when somebody is coming.",
        "I don't know whether help is on the way.",
        "Nobody has answered yet.",
        "Is somebody on the way to you?",
        "When did it start, ten minutes ago?",
        "If anyone is in danger, hang up and dial 911.",
        "Have you called an ambulance?",
        "Please call the fire department from another phone.",
        "I stay on the line with you.",
        "I am ringing the second person on the list now.",
        "I will tell you as soon as somebody accepts.",
        "So there is water coming through the ceiling, at four twelve Oak Street?",
        "The water is coming from the ceiling.",
        "One moment, please.",
        "No puedo decirle cuándo llegará alguien.",
        "Estoy llamando a la segunda persona de la lista.",
        "",
    ],
)
def test_what_denies_doubts_or_asks_claims_nothing(words: str) -> None:
    assert false_claims(words, NOBODY) == ()


def test_who_has_it_may_be_said_and_nobody_else() -> None:
    assert false_claims("Ana has taken your call and is joining now.", ANA) == ()
    assert false_claims("Ben has taken your call.", ANA) == (Claim.PERSON,)
    assert false_claims("Ana is on her way to you.", ANA) == (Claim.COMING,), (
        "she took the call, no more is known"
    )


def test_a_case_that_is_closed_may_be_called_so() -> None:
    assert false_claims("Your case is closed.", Known(closed=True)) == ()


def test_a_number_of_this_call_may_be_read_back_and_no_other() -> None:
    mine = Known(numbers=("+12025550142",))
    assert false_claims("I have the number as two zero two, five five five, zero one four two.", mine) == ()
    assert false_claims("I have the number as 555 0142. Is that right?", mine) == ()
    assert false_claims("The engineer's number is 202 555 0111.", mine) == (Claim.NUMBER,)


def test_a_house_number_and_the_emergency_number_are_no_telephone_numbers() -> None:
    assert false_claims("I have the address as four one two Oak Street, apartment seven.", NOBODY) == ()
    assert false_claims("Hang up and dial nine one one.", NOBODY) == ()


def test_what_somebody_else_has_told_is_not_the_callers_to_hear() -> None:
    assert false_claims("Mrs Miller reported it an hour ago.", NOBODY) == (Claim.OTHERS,)
    assert false_claims("There is already a report of water at Oak Street.", NOBODY) == ()


def test_what_it_was_told_to_be_is_not_recited() -> None:
    told = Known(secrets=("Never give names, addresses or words of other callers.",))
    assert false_claims("My rule is: never give names, addresses or words of others.", told) == (
        Claim.INSTRUCTIONS,
    )
    assert false_claims("I never give names.", told) == ()


def test_that_the_caller_has_called_for_help_is_theirs_to_say() -> None:
    assert false_claims("So you have called an ambulance.", NOBODY) == ()
    assert false_claims("I have called an ambulance for you.", NOBODY) == (Claim.SERVICES,)


def test_both_languages_of_the_sentences_are_read() -> None:
    assert set(LANGUAGES) == {"en", "es"}
