"""A token proves that we made it, for one purpose and for one night; nothing else opens."""

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.night import at
from workflows import tokens
from workflows.tokens import (
    FactToken,
    ForgedTokenError,
    LegToken,
    LinkToken,
    PageItem,
    PageToken,
    Purpose,
    RoomToken,
    StreamToken,
    Tokens,
)
from workflows.values import CallSid, EscalationId, Fact, LineId, PageId, PersonId, RingId

ANA, ESC, PAGE, CALL, LINE = (
    PersonId("ana"),
    EscalationId("esc"),
    PageId("esc.1"),
    CallSid("CA1"),
    LineId("clinic"),
)
ITEM = PageItem(PAGE, ESC, "page", "water", "3", "7", "af-CA1", life=True)

EVERY_PURPOSE: list[tuple[Purpose[Any], object]] = [
    (tokens.PAGE, PageToken(ANA, RingId("1-esc.1"), LINE, (ITEM, ITEM))),
    (tokens.LINK, LinkToken(ANA, PAGE, ESC)),
    (tokens.ROOM, RoomToken(ANA, ESC, PAGE, LINE, None)),
    (tokens.LEG, LegToken(CALL, 2)),
    (tokens.STREAM, StreamToken(CALL, 2, "nonce")),
    (tokens.FACT, FactToken(LINE, Fact("esc#1", "exhausted", until=at(0)))),
]
purposes = pytest.mark.parametrize(
    ("purpose", "value"), EVERY_PURPOSE, ids=[purpose.name for purpose, _ in EVERY_PURPOSE]
)


@purposes
def test_a_token_opens_for_its_purpose(purpose: Purpose[Any], value: object) -> None:
    mint = Tokens("secret")
    token = mint.make(purpose, value)
    assert mint.open(purpose, token) == value
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@purposes
def test_a_token_opens_for_no_other_purpose(purpose: Purpose[Any], value: object) -> None:
    mint = Tokens("secret")
    token = mint.make(purpose, value)
    for other, _ in EVERY_PURPOSE:
        if other is not purpose:
            with pytest.raises(ForgedTokenError, match=other.name):
                mint.open(other, token)


@purposes
def test_a_token_of_another_secret_a_changed_one_and_plain_nonsense_do_not_open(
    purpose: Purpose[Any], value: object
) -> None:
    mint = Tokens("secret")
    token = mint.make(purpose, value)
    middle = len(token) // 3
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for forged in (Tokens("another").make(purpose, value), changed, token[:-1], "", "nonsense", "a.b.c"):
        with pytest.raises(ForgedTokenError):
            mint.open(purpose, forged)


@purposes
def test_a_token_is_too_old_after_its_time(purpose: Purpose[Any], value: object) -> None:
    mint = Tokens("secret")
    token = mint.make(purpose, value)
    expired = Purpose(purpose.name, purpose.model, timedelta(seconds=-1))
    with pytest.raises(ForgedTokenError, match="too old"):
        mint.open(expired, token)


def test_what_opens_a_door_lasts_a_night_and_what_opens_a_stream_minutes() -> None:
    assert all(p.lasts == timedelta(hours=12) for p in (tokens.PAGE, tokens.LINK, tokens.ROOM, tokens.LEG))
    assert tokens.STREAM.lasts <= timedelta(minutes=2)
    assert tokens.FACT.lasts <= timedelta(minutes=10)


def test_no_two_purposes_share_a_name() -> None:
    names = [purpose.name for purpose, _ in EVERY_PURPOSE]
    assert len(set(names)) == len(names)


def test_a_full_page_call_fits_into_a_url() -> None:
    items = tuple(
        PageItem(
            PageId(f"escalation-CA{'0' * 32}.{n}"), ESC, "page", "water through the ceiling", "3", "7", "af"
        )
        for n in range(4)
    )
    token = Tokens("secret").make(tokens.PAGE, PageToken(ANA, RingId(f"9-{items[0].page}"), LINE, items))
    assert len(token) < 2000
