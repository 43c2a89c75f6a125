"""Who is in a room with whom, by the telephone network's own word."""

from collections.abc import Iterable

from tests.night.installation import Installation
from tests.night.journal import Record
from tests.night.people import Leg, is_event


def rooms_now(records: Iterable[Record]) -> dict[str, set[str]]:
    """Which legs are in which conference after all this."""
    rooms: dict[str, set[str]] = {}
    for record in records:
        if record.kind == "conference" and record.conference and record.call:
            here = rooms.setdefault(record.conference, set())
            if record.says("event") == "participant-join":
                here.add(record.call)
            elif record.says("event") == "participant-leave":
                here.discard(record.call)
    return rooms


async def are_together(night: Installation, *legs: Leg, within_s: float = 30.0) -> str:
    """Wait until these legs are in one and the same room, all of them at once; which room."""
    wanted = {leg.sid for leg in legs}

    def room() -> str | None:
        rooms = rooms_now(night.journal.records)
        return next((room for room, here in rooms.items() if wanted <= here), None)

    who = " and ".join(leg.number for leg in legs)
    return await night.journal.until(f"{who} are in one room", room, within_s=within_s)


async def is_coached(night: Installation, caller: Leg, responder: Leg) -> str:
    """Wait until the AI coaches the responder and may speak again; its leg."""
    coaching = await night.journal.first(
        "the AI coaches the responder",
        lambda r: is_event(r, "participant-modify") and r.says("coaches") == responder.sid,
    )
    await night.journal.first(
        "the AI is unmuted",
        lambda r: is_event(r, "participant-unmute") and r.call == coaching.call,
        after=coaching.seq,
    )
    assert coaching.says("label").startswith(f"ai-x{caller.sid}-")
    return coaching.call or ""
