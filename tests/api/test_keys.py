"""A digit on a page call: only a drawn key is an act, and it is one act however often it arrives."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.keys import key_act_id, pressed
from tests.api.house import item
from workflows.values import ActKind, CallSid

FIRST = item("e-1", 1, accept="4", decline="7")
SECOND = item("e-2", 1, accept="2", decline="9")
JOIN = item("e-3", 1, kind="join", accept="5", decline="8")
CALL = CallSid("CA" + "1" * 32)


@pytest.mark.parametrize(
    ("digit", "page", "kind"),
    [
        ("4", FIRST, ActKind.ACKNOWLEDGE),
        ("7", FIRST, ActKind.DECLINE),
        ("2", SECOND, ActKind.ACKNOWLEDGE),
        ("9", SECOND, ActKind.DECLINE),
        ("5", JOIN, ActKind.ACKNOWLEDGE),
    ],
)
def test_a_drawn_key_is_its_pages_act(digit: str, page: object, kind: ActKind) -> None:
    press = pressed((FIRST, SECOND, JOIN), digit)
    assert press is not None
    assert (press.item, press.kind) == (page, kind)


@pytest.mark.parametrize("digit", ["", "1", "3", "6", "0", "*", "#", "44", "47"])
def test_any_other_key_is_nothing(digit: str) -> None:
    assert pressed((FIRST, SECOND, JOIN), digit) is None


def test_a_way_into_the_room_offers_no_way_out() -> None:
    assert pressed((JOIN,), "8") is None


@given(st.text(alphabet=string.digits + "*#", max_size=3))
def test_without_pages_no_key_is_an_act(digits: str) -> None:
    assert pressed((), digits) is None


def test_a_repeat_is_the_same_act_and_a_second_showing_of_a_menu_another() -> None:
    assert key_act_id(CALL, "p", ActKind.DECLINE) == f"key:{CALL}:p:decline"
    assert key_act_id(CALL, "p", ActKind.RESOLVE, "a1") != key_act_id(CALL, "p", ActKind.RESOLVE, "b2")
