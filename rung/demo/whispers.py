"""Who heard whom, measured on the recordings of every leg in the sandbox: no caller hears a whisper."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.demo.story import Record, about

if TYPE_CHECKING:
    from sandbox.sound.tape import Track


@dataclass(frozen=True)
class Measured:
    """heard: how many of the whispered frames of 20 ms the ear got; unclear: could not be told from other sound."""

    heard: int
    whispered: int
    unclear: int


@dataclass(frozen=True)
class Whisper:
    """A leg that only one other could hear, or of which something else was so, from one instant to another."""

    leg: str
    coached: str
    began: datetime
    ended: datetime


def whispers(records: Iterable[Record]) -> list[Whisper]:
    """When which leg coached which, by the telephone network's journal."""
    found: list[Whisper] = []
    open_: dict[str, tuple[str, datetime]] = {}
    last = None
    for record in records:
        last = datetime.fromisoformat(str(record["at"]))
        details = about(record)
        if record["kind"] != "conference" or record.get("call") is None:
            continue
        leg, coached = str(record["call"]), str(details.get("coaches") or "")
        gone = details.get("event") == "participant-leave"
        now = coached if details.get("coaching") and not gone else ""
        if leg in open_ and open_[leg][0] != now:
            whom, began = open_.pop(leg)
            found.append(Whisper(leg, whom, began, last))
        if now and leg not in open_:
            open_[leg] = (now, last)
    if last is not None:
        found += [Whisper(leg, whom, began, last) for leg, (whom, began) in open_.items()]
    return found


def between(records: Iterable[Record], is_so: Callable[[Mapping[str, Any]], bool]) -> list[Whisper]:
    """From when to when something was so of which leg, by the telephone network's journal."""
    found: list[Whisper] = []
    open_: dict[str, datetime] = {}
    last = None
    for record in records:
        last = datetime.fromisoformat(str(record["at"]))
        details = about(record)
        if record["kind"] != "conference" or record.get("call") is None:
            continue
        leg = str(record["call"])
        so = is_so(details) and details.get("event") != "participant-leave"
        if so:
            open_.setdefault(leg, last)
        elif leg in open_:
            found.append(Whisper(leg, "", open_.pop(leg), last))
    return found + [Whisper(leg, "", began, last) for leg, began in open_.items() if last is not None]


def heard_by(ear: str, said: Sequence[Whisper], legs: Sequence[str], folder: Path) -> Measured:
    """How much of all whispers is in what this leg heard. legs: everybody's.

    What the others said, and what was played to this leg, is taken away first.
    """
    # Only the demo measures, and only with the sandbox's packages installed.
    from sandbox.sound.compare import frames_heard  # noqa: PLC0415
    from sandbox.sound.tape import read_track  # noqa: PLC0415

    def track(leg: str, side: str, whisper: Whisper) -> "Track | None":
        file = folder / f"{leg}.{side}.wav"
        return read_track(file.read_bytes()).between(whisper.began, whisper.ended) if file.exists() else None

    total = Measured(0, 0, 0)
    for whisper in said:
        sent, heard = track(whisper.leg, "said", whisper), track(ear, "heard", whisper)
        others = [track(leg, "said", whisper) for leg in legs if leg not in {whisper.leg, ear}]
        others.append(
            track(ear, "played", whisper)
        )  # an announcement in the light voice sounds like its whisper
        if sent is None or heard is None:
            continue
        found = frames_heard(sent, heard, [other for other in others if other is not None])
        total = Measured(
            total.heard + found.present, total.whispered + found.sent, total.unclear + found.unclear
        )
    return total
