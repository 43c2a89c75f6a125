"""How much of what was whispered in a room was heard, and by whom: counted on the recordings of its legs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.sound.compare import Found, frames_heard
from sandbox.sound.tape import Track, read_track
from tests.night.journal import Record
from tests.night.people import is_event

AROUND = timedelta(seconds=1)  # what was said at the end of a stretch is heard after it
IN_THE_BUFFER = timedelta(
    seconds=0.2
)  # what is said so shortly before somebody goes reaches the room without them


@dataclass(frozen=True)
class Stretch:
    """An AI's leg, from one instant to another. coached: the leg that alone may hear it."""

    leg: str
    coached: str
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Switch:
    """Once the AI became somebody's coach. took_ms: from their coming into the room to its being heard by them.

    silent_ms: of that, since the AI was muted, or since they came if that was later.
    """

    took_ms: float
    silent_ms: float


@dataclass(frozen=True)
class Counted:
    """Frames of 20 ms.

    whispered: of sound, from the AI's falling silent for the switch to its coaching nobody. orphaned: of them, those
    that came into the room when whoever was coached had left it and the AI was not muted yet. by_caller,
    by_caller_then: how many of all, and of those, the caller heard. to_coached, by_coached: whispered while the coached
    were there, and heard by them. unclear: of by_coached, what could not be told from other sounds of that instant.
    """

    whispered: int
    by_caller: int
    orphaned: int
    by_caller_then: int
    to_coached: int
    by_coached: int
    unclear: int
    switches: tuple[Switch, ...]


def counted(room: Sequence[Record], caller: str, folder: Path) -> Counted:
    """What the recordings in this folder tell of a room. room: all its records, in order."""
    everybody = {record.call for record in room if record.call and is_event(record, "participant-join")}
    sound = _Sound(folder, sorted(everybody))
    private, coached = private_stretches(room), coached_stretches(room)
    orphaned = orphaned_stretches(room)
    by_caller = [sound.heard_by(caller, one) for one in private]
    then = [sound.heard_by(caller, one) for one in orphaned]
    by_coached = [sound.heard_by(one.coached, one) for one in coached]
    return Counted(
        whispered=sum(found.sent for found in by_caller),
        by_caller=sum(found.present for found in by_caller),
        orphaned=sum(found.sent for found in then),
        by_caller_then=sum(found.present for found in then),
        to_coached=sum(found.sent for found in by_coached),
        by_coached=sum(found.present for found in by_coached),
        unclear=sum(found.unclear for found in by_coached),
        switches=tuple(switches(room)),
    )


class _Sound:
    """The recordings of these legs, each read once."""

    def __init__(self, folder: Path, legs: Sequence[str]) -> None:
        self._folder = folder
        self._legs = legs
        self._tracks: dict[tuple[str, str], Track] = {}

    def heard_by(self, ear: str, said: Stretch) -> Found:
        """How much of what a leg said the ear heard, whatever else sounded there."""
        begin, end = said.began - AROUND, said.ended + AROUND
        others = [self._track(leg, "said") for leg in self._legs if leg not in {said.leg, ear}]
        others.append(self._track(ear, "played"))
        return frames_heard(
            self._track(said.leg, "said").between(said.began, said.ended),
            self._track(ear, "heard").between(begin, end),
            [other.between(begin, end) for other in others],
        )

    def _track(self, leg: str, side: str) -> Track:
        if (leg, side) not in self._tracks:
            self._tracks[leg, side] = read_track((self._folder / f"{leg}.{side}.wav").read_bytes())
        return self._tracks[leg, side]


def private_stretches(room: Sequence[Record]) -> list[Stretch]:
    """When an AI's leg says nothing that the caller may hear.

    From its falling silent for the switch, or its coming into a room as a later generation, to its coaching nobody.
    """
    return [
        Stretch(leg, one.coached, _silent_since(records, one.began), one.ended)
        for leg, records in _assistants(room).items()
        for one in _joined_up(_coaching(leg, records, room[-1].at))
    ]


def coached_stretches(room: Sequence[Record]) -> list[Stretch]:
    """When an AI coached somebody who was there to hear it, without what had not come to them when they left."""
    return [
        Stretch(leg, one.coached, max(one.began, came), min(one.ended, left - IN_THE_BUFFER))
        for leg, records in _assistants(room).items()
        for one in _coaching(leg, records, room[-1].at)
        for came, left in _stays(one.coached, room)
        if max(one.began, came) < min(one.ended, left - IN_THE_BUFFER)
    ]


def orphaned_stretches(room: Sequence[Record]) -> list[Stretch]:
    """What came into the room when whoever was coached had left it, and the AI was not muted yet."""
    found: list[Stretch] = []
    for leg, records in _assistants(room).items():
        for one in _coaching(leg, records, room[-1].at):
            gone = [
                r.at
                for r in room
                if r.call == one.coached
                and is_event(r, "participant-leave")
                and one.began < r.at <= one.ended
            ]
            for left in gone:
                silent = (r.at for r in records if r.at >= left and is_event(r, "participant-mute"))
                until = min(next(silent, one.ended), one.ended)
                found.append(Stretch(leg, one.coached, left - IN_THE_BUFFER, until))
    return found


def switches(room: Sequence[Record]) -> Iterator[Switch]:
    """Each time an AI that spoke with others became the coach of somebody, or of another."""
    for leg, records in _assistants(room).items():
        for one in _coaching(leg, records, room[-1].at):
            heard = next(
                (r for r in records if r.at >= one.began and is_event(r, "participant-unmute")), None
            )
            came = [at for at, _ in _stays(one.coached, room) if at <= one.began]
            if heard is not None and heard.at <= one.ended and came:
                since = max(_silent_since(records, one.began), came[-1])
                yield Switch(_ms(heard.at - came[-1]), _ms(heard.at - since))


def _coaching(leg: str, records: Sequence[Record], over: datetime) -> Iterator[Stretch]:
    """Whom a leg was set to coach, from when to when."""
    coached, began = "", over
    for record in records:
        now = "" if is_event(record, "participant-leave") else record.says("coaches")
        if now != coached:
            if coached:
                yield Stretch(leg, coached, began, record.at)
            coached, began = now, record.at
    if coached:
        yield Stretch(leg, coached, began, over)


def _joined_up(coaching: Iterable[Stretch]) -> list[Stretch]:
    """Stretches that follow one another without a pause, as one."""
    found: list[Stretch] = []
    for one in coaching:
        if found and found[-1].ended == one.began:
            found[-1] = replace(found[-1], ended=one.ended)
        else:
            found.append(one)
    return found


def _silent_since(records: Sequence[Record], began: datetime) -> datetime:
    """When the leg was muted for what began then, or came in; a first one spoke with the caller before."""
    silent = began
    for record in records:
        if record.at > began:
            break
        later = is_event(record, "participant-join") and not record.says("label").endswith("-1")
        if later or is_event(record, "participant-mute"):
            silent = record.at
    return silent


def _stays(leg: str, room: Sequence[Record]) -> Iterator[tuple[datetime, datetime]]:
    """When a leg was in the room."""
    came: datetime | None = None
    for record in room:
        if record.call == leg and is_event(record, "participant-join"):
            came = record.at
        elif record.call == leg and is_event(record, "participant-leave") and came is not None:
            yield came, record.at
            came = None
    if came is not None:
        yield came, room[-1].at


def _assistants(room: Sequence[Record]) -> dict[str, list[Record]]:
    """What happened to each AI's leg."""
    found: dict[str, list[Record]] = {}
    for record in room:
        if record.kind == "conference" and record.call and record.says("label").startswith("ai-x"):
            found.setdefault(record.call, []).append(record)
    return found


def _ms(time: timedelta) -> float:
    return time / timedelta(milliseconds=1)
