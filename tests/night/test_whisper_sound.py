"""When a whisper was private, when it could be heard, and when whoever was coached had gone: from a room's records."""

from datetime import UTC, datetime, timedelta

from tests.night.journal import Record
from tests.night.whisper_sound import (
    IN_THE_BUFFER,
    coached_stretches,
    orphaned_stretches,
    private_stretches,
    switches,
)

BEGAN = datetime(2026, 1, 5, 2, 18, tzinfo=UTC)
AI, NEXT, ANA, BEN = "CAai", "CAnext", "CAana", "CAben"
LABELS = {AI: "ai-xCA1-1", NEXT: "ai-xCA1-2", ANA: "responder-ana-1", BEN: "responder-ben-1"}


def at(second: float) -> datetime:
    return BEGAN + timedelta(seconds=second)


def room(*told: tuple[float, str, str, str | None]) -> list[Record]:
    """Records of a room: when, whose, what, and whom the leg coaches from then on."""
    return [
        Record(
            number,
            at(second),
            "conference",
            leg,
            "CF1",
            None,
            None,
            {"event": f"participant-{event}", "label": LABELS[leg], "coaches": coaches},
        )
        for number, (second, leg, event, coaches) in enumerate(told)
    ]


JOINED = (
    (0.0, AI, "join", None),
    (5.0, ANA, "join", None),
    (5.2, AI, "mute", None),
    (5.4, AI, "modify", ANA),
    (5.6, AI, "unmute", ANA),
)


def test_a_whisper_is_private_from_the_mute_before_it_to_its_end() -> None:
    records = room(*JOINED, (9.0, AI, "mute", ANA), (9.2, AI, "modify", None), (9.4, AI, "unmute", None))
    (private,) = private_stretches(records)
    assert (private.leg, private.coached, private.began, private.ended) == (AI, ANA, at(5.2), at(9.2))


def test_a_later_leg_is_private_from_its_first_instant() -> None:
    records = room(
        (0.0, ANA, "join", None),
        (5.0, NEXT, "join", None),
        (5.4, NEXT, "modify", ANA),
        (9.0, ANA, "leave", None),
    )
    assert [one.began for one in private_stretches(records)] == [at(5.0)]


def test_what_is_on_its_way_when_the_coached_goes_is_not_theirs_any_more() -> None:
    records = room(*JOINED, (8.0, ANA, "leave", None), (8.3, AI, "mute", ANA), (9.0, AI, "modify", None))
    (heard,) = coached_stretches(records)
    (orphaned,) = orphaned_stretches(records)
    assert (heard.began, heard.ended) == (at(5.4), at(8.0) - IN_THE_BUFFER)
    assert (orphaned.began, orphaned.ended) == (at(8.0) - IN_THE_BUFFER, at(8.3))


def test_nobody_is_orphaned_by_a_change_to_another() -> None:
    records = room(*JOINED, (7.0, BEN, "join", None), (8.0, AI, "modify", BEN), (9.0, ANA, "leave", None))
    assert orphaned_stretches(records) == []
    assert [(one.coached, one.began) for one in coached_stretches(records)] == [
        (ANA, at(5.4)),
        (BEN, at(8.0)),
    ]


def test_a_switch_lasts_from_the_join_to_the_unmute() -> None:
    (switch,) = switches(room(*JOINED, (9.0, ANA, "leave", None)))
    assert (round(switch.took_ms), round(switch.silent_ms)) == (600, 400)
