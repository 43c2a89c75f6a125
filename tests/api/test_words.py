"""What an SMS means: a code proves, known words decide, anything else is asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import texts
from api.words import CARRIERS_OWN, ForCarrier, Meant, Unclear, meaning
from workflows.values import ActKind

MINE, NOT_ME = Meant("4711", ActKind.ACKNOWLEDGE), Meant("4711", ActKind.DECLINE)


@pytest.mark.parametrize(
    "body",
    [
        "4711",
        " 4711 ",
        "4711.",
        "(4711)",
        "4711 YES",
        "Y 4711",
        "Ok, 4711!",
        "mine\n4711",
        "4711 I'll take it",
        "4711 I\u2019ll take it",
        "on my way 4711",
        "4711 sí, voy",
    ],
)
def test_the_code_alone_or_with_a_yes_takes_it(body: str) -> None:
    assert meaning(body) == MINE


@pytest.mark.parametrize(
    "body",
    [
        "4711 NO",
        "4711 no.",
        "no 4711",
        "N 4711",
        "4711n",
        "PASS, 4711!",
        "4711 not me",
        "no4711",
        "4711 no puedo",
        "4711 decline please",
    ],
)
def test_the_code_with_a_no_passes(body: str) -> None:
    assert meaning(body) == NOT_ME


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("yes", None),
        ("", None),
        ("on my way", None),
        ("47 11", None),
        ("4711 4712", None),
        ("47110", None),
        ("4711 call me at 2025550111", None),
        ("4711 in twenty minutes", "4711"),
        ("4711 yes no", "4711"),
        ("4711 can't take it", "4711"),
        ("4711 STOP", "4711"),
        ("4711 wrong number who is this", "4711"),
    ],
)
def test_nobodys_case_is_taken_or_passed_on_a_guess(body: str, code: str | None) -> None:
    assert meaning(body) == Unclear(code)


def test_the_same_code_twice_is_one_code() -> None:
    assert meaning("4711 4711 no") == NOT_ME


@pytest.mark.parametrize(
    "body", ["STOP", "stop", "Stop.", "UNSUBSCRIBE", "Cancel", "END", "quit", "START", "help"]
)
def test_words_between_a_person_and_their_carrier_are_not_ours(body: str) -> None:
    assert meaning(body) == ForCarrier()


def test_we_never_teach_a_word_that_opts_out() -> None:
    said = f"{texts.HELP} {texts.NO_SUCH_PAGE} {texts.RECEIVED} {texts.CLOSED}".lower()
    assert not {word.strip(".,") for word in said.split()} & CARRIERS_OWN


@given(st.text(max_size=200))
def test_no_text_breaks_it_and_no_act_is_without_its_code(body: str) -> None:
    found = meaning(body)
    if isinstance(found, Meant):
        assert found.code in body
