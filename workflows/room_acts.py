"""What a person can do to a room: hold, mute, remove or bring somebody, and move the AI to another human.

Whom an act is about is a word: `caller`, a responder's id, one of the AIs (`ai`, `notes`, `interpreter`), or
`ais`, all of them. What follows from an act is `floor`'s.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from workflows.assistant import Post
from workflows.values import ActId, HoldSound, PersonId, Via
from workflows.versions import Message

Whom = NewType("Whom", str)

CALLER = Whom("caller")
ALL_AIS = Whom("ais")


class RoomActKind(StrEnum):
    """What is done. Hold cuts off from everybody: one on hold neither hears nor is heard."""

    HOLD = "hold"
    UNHOLD = "unhold"
    MUTE = "mute"
    UNMUTE = "unmute"
    REMOVE = "remove"
    BRING = "bring"
    COACH = "coach"


@dataclass(frozen=True, kw_only=True)
class RoomAct(Message):
    """Something a person does to a call's room: the update `act`. id is the same on every repeat.

    sound: what a human on hold hears; an AI on hold hears silence. language: what the caller speaks, for an
    interpreter that is brought. COACH is about the person whom the AI shall coach.
    """

    id: ActId
    kind: RoomActKind
    whom: Whom
    by: PersonId
    via: Via = Via.CONSOLE
    sound: HoldSound = "words"
    language: str = ""


@dataclass(frozen=True)
class RoomOutcome:
    """What became of it. done: False, and sentence says why not."""

    done: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class RoomReply(Message):
    """What the person who acted is told. confirmed: the network has done it, it is not only ordered."""

    done: bool
    sentence: str
    confirmed: bool = False


def posts(whom: Whom) -> tuple[Post, ...]:
    """The AIs that a word names; none for a human's."""
    if whom == ALL_AIS:
        return tuple(Post)
    return tuple(post for post in Post if post.value == whom)
