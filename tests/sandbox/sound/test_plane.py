"""The one tick: who is heard when, and what it costs when nobody listens."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from sandbox.clock import ManualClock
from sandbox.conference import Member, Room, RoomStatus
from sandbox.ids import CallSid, ConferenceSid
from sandbox.sound.circuit import Circuit
from sandbox.sound.frames import FRAME_TIME, QUIET
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.plane import Plane

CALLER, ANA, AI = CallSid("CAcaller"), CallSid("CAana"), CallSid("CAai")


def flat(level: int, frames: int = 1) -> Samples:
    return np.full(FRAME * frames, level, dtype=np.int16)


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.plane = Plane(self.clock)
        self.room = Room(ConferenceSid("CF1"), "incident", status=RoomStatus.IN_PROGRESS)
        self.lines: dict[CallSid, Circuit] = {}

    def seat(self, *members: Member, delay: int = 1) -> None:
        for member in members:
            self.room.members[member.call] = member
            line = self.lines[member.call] = Circuit(member.call)
            self.plane.join(line, self.room, delay)

    def says(self, who: CallSid, sound: Samples) -> None:
        self.lines[who].mic.place(sound, self.plane.position())

    def hears(self, who: CallSid) -> list[int]:
        """The levels that line hears from now on, frame by frame."""
        levels: list[int] = []
        self.plane.listen(self.lines[who], "heard", lambda _, frame: levels.append(int(frame[0])))
        return levels

    async def frames(self, count: int) -> None:
        await self.clock.advance(count * FRAME_TIME)


async def test_where_nobody_listens_nothing_ticks() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA))
    scene.says(CALLER, flat(1, 100))
    assert scene.clock.next_due() is None


async def test_whoever_begins_to_listen_hears_the_rest_of_what_sounds() -> None:
    scene = Scene()
    scene.lines[CALLER] = Circuit(CALLER)
    scene.lines[CALLER].player.place(np.repeat(np.arange(10, dtype=np.int16), FRAME), 0)
    await scene.frames(4)
    levels = scene.hears(CALLER)
    await scene.frames(8)
    assert levels == [4, 5, 6, 7, 8, 9, 0, 0]


async def test_when_the_last_one_stops_listening_the_ticking_stops() -> None:
    scene = Scene()
    scene.seat(Member(CALLER))
    listening = scene.plane.listen(scene.lines[CALLER], "said", lambda _, __: None)
    await scene.frames(3)
    listening.stop()
    assert scene.clock.next_due() is None


async def test_who_listens_again_later_does_not_hear_what_was_on_its_way_then() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA), delay=3)
    listening = scene.plane.listen(scene.lines[ANA], "heard", lambda _, __: None)
    scene.says(CALLER, flat(7, 2))
    await scene.frames(2)
    listening.stop()
    await scene.frames(50)
    ana = scene.hears(ANA)
    await scene.frames(5)
    assert ana == [0] * 5


async def test_what_is_on_its_way_is_heard_whenever_somebody_begins_to_listen() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA), delay=4)
    scene.says(CALLER, np.repeat(np.arange(1, 6, dtype=np.int16), FRAME))
    await scene.frames(5)
    ana = scene.hears(ANA)
    await scene.frames(6)
    assert ana == [2, 3, 4, 5, 0, 0]


async def test_what_was_said_before_the_room_was_entered_is_not_on_its_way_to_it() -> None:
    scene = Scene()
    scene.seat(Member(ANA), delay=4)
    line = scene.lines[CALLER] = Circuit(CALLER)
    scene.says(CALLER, np.repeat(np.arange(1, 6, dtype=np.int16), FRAME))
    await scene.frames(2)
    scene.room.members[CALLER] = Member(CALLER)
    scene.plane.join(line, scene.room, 4)
    await scene.frames(2)
    ana = scene.hears(ANA)
    await scene.frames(7)
    assert ana == [0, 0, 3, 4, 5, 0, 0]


async def test_members_hear_each_other_late_by_the_jitter_buffer_and_never_themselves() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA), delay=3)
    caller, ana = scene.hears(CALLER), scene.hears(ANA)
    scene.says(CALLER, flat(7, 2))
    await scene.frames(6)
    assert caller == [0] * 6
    assert ana == [0, 0, 0, 7, 7, 0]


async def test_the_coach_reaches_the_coached_leg_only_and_a_muted_one_nobody() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA), Member(AI, coaching=True, coaches=ANA))
    caller, ana = scene.hears(CALLER), scene.hears(ANA)
    scene.says(AI, flat(5, 4))
    await scene.frames(3)
    scene.room.members[AI] = Member(AI, muted=True)
    await scene.frames(2)
    assert caller == [0] * 5
    assert ana == [0, 5, 5, 0, 0]


async def test_who_is_on_hold_hears_the_hold_audio_and_nobody_else() -> None:
    scene = Scene()
    scene.seat(Member(CALLER, hold=True), Member(ANA))
    scene.lines[CALLER].player.place(flat(3, 9), 0)
    scene.says(ANA, flat(100, 9))
    caller = scene.hears(CALLER)
    await scene.frames(3)
    assert caller == [3, 3, 3]


async def test_what_one_of_two_crossed_legs_hears_the_other_says_in_the_same_frame() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(AI))
    application = Circuit(AI)
    scene.plane.cross(scene.lines[AI], application)
    streamed: list[int] = []
    scene.plane.listen(application, "said", lambda _, frame: streamed.append(int(frame[0])))
    caller = scene.hears(CALLER)
    scene.says(CALLER, flat(7))
    application.player.place(flat(9), 0)
    await scene.frames(3)
    assert streamed == [0, 7, 0]
    assert caller == [0, 9, 0]


async def test_two_bridged_legs_hear_each_other() -> None:
    scene = Scene()
    one, other = Circuit(CALLER), Circuit(ANA)
    scene.lines[ANA] = other
    scene.plane.bridge(one, other)
    heard = scene.hears(ANA)
    one.mic.place(flat(4), 0)
    await scene.frames(3)
    assert heard == [0, 4, 0]
    scene.plane.part(one, other)
    one.mic.place(flat(4, 5), scene.plane.position())
    await scene.frames(3)
    assert heard[3:] == [0, 0, 0]


async def test_a_room_in_a_room_does_not_wait_for_itself() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(AI), Member(ANA))
    scene.plane.cross(scene.lines[AI], scene.lines[ANA])
    heard = scene.hears(CALLER)
    await scene.frames(5)
    assert heard == [0] * 5


@pytest.mark.parametrize(("whole", "expected"), [(True, [1, 2, 3, 4]), (False, [0, 1, 2, 3, 4])])
async def test_a_frame_that_had_begun_already_is_given_unless_whole_ones_are_wanted(
    whole: bool, expected: list[int]
) -> None:
    scene = Scene()
    scene.seat(Member(CALLER))
    await scene.clock.advance(timedelta(milliseconds=5))
    numbers: list[int] = []
    scene.plane.listen(scene.lines[CALLER], "said", lambda number, _: numbers.append(number), whole=whole)
    await scene.clock.advance(timedelta(milliseconds=95))
    assert numbers == expected


async def test_a_line_that_is_forgotten_has_no_place_and_no_listeners() -> None:
    scene = Scene()
    scene.seat(Member(CALLER), Member(ANA))
    caller = scene.hears(CALLER)
    scene.plane.forget(scene.lines[CALLER])
    await scene.frames(2)
    assert caller == []
    assert scene.clock.next_due() is None


def test_a_late_tick_is_counted() -> None:
    scene = Scene()
    note: Callable[[timedelta], None] = scene.plane.lateness.note
    for late_ms in (0, 1, 2, 30):
        note(timedelta(milliseconds=late_ms))
    assert scene.plane.lateness.late == 1
    assert scene.plane.lateness.percentile_ms(0.5) == 1
    assert scene.plane.lateness.longest_ms == 30.0
    assert QUIET.flags.writeable is False
