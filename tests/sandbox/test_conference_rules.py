"""Who hears whom, and when a conference starts and ends: the pure rules."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.conference import Leaving, Member, Room, RoomStatus, audible, hearers
from sandbox.ids import CallSid, ConferenceSid

CALLER, ANA, AI = CallSid("CAcaller"), CallSid("CAana"), CallSid("CAai")


NOBODY: set[str] = set()


def room_of(*members: Member, started: bool = True) -> Room:
    room = Room(ConferenceSid("CF1"), "incident")
    room.members = {member.call: member for member in members}
    room.status = RoomStatus.IN_PROGRESS if started else RoomStatus.INIT
    return room


def events(happened: list[object]) -> list[str]:
    return [str(getattr(one, "event", "")) for one in happened]


@pytest.mark.parametrize(
    ("ai", "caller_hears", "ana_hears", "ai_hears"),
    [
        pytest.param(Member(AI), {ANA, AI}, {CALLER, AI}, {CALLER, ANA}, id="everyone"),
        pytest.param(Member(AI, muted=True), {ANA}, {CALLER}, {CALLER, ANA}, id="muted"),
        pytest.param(Member(AI, hold=True), {ANA}, {CALLER}, NOBODY, id="on hold"),
        pytest.param(Member(AI, coaching=True, coaches=ANA), {ANA}, {CALLER, AI}, {CALLER, ANA}, id="coach"),
        pytest.param(
            Member(AI, coaching=True, coaches=ANA, muted=True),
            {ANA},
            {CALLER},
            {CALLER, ANA},
            id="muted coach",
        ),
        pytest.param(
            Member(AI, coaching=True, coaches=CallSid("CAgone")),
            {ANA},
            {CALLER},
            {CALLER, ANA},
            id="orphaned coach",
        ),
    ],
)
def test_who_hears_whom(ai: Member, caller_hears: set[str], ana_hears: set[str], ai_hears: set[str]) -> None:
    room = room_of(Member(CALLER), Member(ANA), ai)
    assert audible(CALLER, room) == caller_hears
    assert audible(ANA, room) == ana_hears
    assert audible(AI, room) == ai_hears


def test_an_orphaned_coach_is_heard_by_all_where_that_is_assumed() -> None:
    room = room_of(Member(CALLER), Member(AI, coaching=True, coaches=CallSid("CAgone")), Member(ANA))
    room.orphaned_coach = "everybody"
    assert hearers(AI, room) == {CALLER, ANA}


def test_nobody_hears_anybody_before_the_start() -> None:
    room = room_of(Member(CALLER), Member(ANA), started=False)
    assert audible(CALLER, room) == frozenset()


members = st.builds(
    Member,
    call=st.sampled_from([CallSid(f"CA{n}") for n in range(5)]),
    muted=st.booleans(),
    hold=st.booleans(),
    coaching=st.booleans(),
    coaches=st.sampled_from([CallSid(f"CA{n}") for n in range(5)]),
)


@settings(deadline=None)  # a busy machine is no mistake
@given(st.lists(members, max_size=5, unique_by=lambda member: member.call))
def test_a_coach_is_never_heard_by_anyone_but_the_coached(present: list[Member]) -> None:
    room = room_of(*present)
    for member in present:
        heard_by = hearers(member.call, room)
        assert member.call not in heard_by
        if member.coaching:
            assert heard_by <= {member.coaches}
        if member.muted or member.hold:
            assert not heard_by


def test_two_members_and_one_starter_start_it_and_no_fewer() -> None:
    room = Room(ConferenceSid("CF1"), "incident")
    assert events([*room.join(Member(CALLER, start_on_enter=False))]) == ["participant-join"]
    assert events([*room.join(Member(AI, start_on_enter=False))]) == ["participant-join"]
    assert room.status is RoomStatus.INIT
    assert events([*room.join(Member(ANA))]) == ["participant-join", "conference-start"]


def test_one_alone_does_not_start_it() -> None:
    room = Room(ConferenceSid("CF1"), "incident")
    room.join(Member(CALLER))
    assert room.status is RoomStatus.INIT


def test_the_last_one_out_ends_it() -> None:
    room = room_of(Member(CALLER), Member(ANA))
    room.leave(CALLER, Leaving.HUNG_UP)
    assert room.active
    assert events([*room.leave(ANA, Leaving.HUNG_UP)]) == ["participant-leave", "conference-end"]
    assert room.end_reason == "last-participant-left"


def test_one_that_ends_it_on_exit_takes_the_others_along() -> None:
    room = room_of(Member(CALLER, end_on_exit=True, label="caller"), Member(ANA))
    news = room.leave(CALLER, Leaving.HUNG_UP)
    assert [(one.event, one.reason) for one in news] == [
        ("participant-leave", "participant_hung_up"),
        ("participant-leave", "moderator_ended_conference"),
        ("conference-end", "participant-with-end-conference-on-exit-left"),
    ]
    assert (room.ended_by, room.ended_by_label) == (CALLER, "caller")


def test_a_leg_that_never_came_leaves_without_having_joined() -> None:
    room = room_of(Member(CALLER))
    room.expect(Member(ANA))
    news = room.leave(ANA, Leaving.NEVER_CAME)
    assert [(one.event, one.reason) for one in news] == [("participant-leave", "participant_add_failed")]


def test_a_label_is_taken_while_its_leg_is_on_the_way() -> None:
    room = room_of()
    room.expect(Member(ANA, label="human"))
    assert room.labelled("human") is not None


def test_ending_an_ended_room_is_nothing_new() -> None:
    room = room_of(Member(CALLER))
    assert room.end()
    assert room.end() == []


acts = st.lists(
    st.tuples(
        st.sampled_from(["expect", "join", "leave", "kick", "end"]),
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@settings(deadline=None)  # a busy machine is no mistake
@given(acts)
def test_whatever_happens_a_room_starts_and_ends_at_most_once(
    happenings: list[tuple[str, int, bool, bool]],
) -> None:
    room = Room(ConferenceSid("CF1"), "incident")
    told: list[str] = []
    for act, number, starts, ends in happenings:
        if not room.active:
            break
        call = CallSid(f"CA{number}")
        member = Member(call, start_on_enter=starts, end_on_exit=ends)
        if act == "expect" and call not in room.members:
            room.expect(member)
        elif act == "join" and call not in room.members:
            told += events([*room.join(member)])
        elif act in {"leave", "kick"}:
            why = Leaving.HUNG_UP if act == "leave" else Leaving.KICKED
            told += events([*room.leave(call, why)])
        elif act == "end":
            told += events([*room.end()])
    assert told.count("conference-start") <= 1
    assert told.count("conference-end") == (0 if room.active else 1)
    if not room.active:
        assert told[-1] == "conference-end"
        assert not room.members
    elif room.status is RoomStatus.INIT:
        starters = any(member.start_on_enter for member in room.members.values())
        assert len(room.members) < 2 or not starters


def test_each_changed_flag_is_its_own_event() -> None:
    room = room_of(Member(CALLER), Member(ANA), Member(AI))
    now = room.members[AI]
    assert events([*room.change(AI, replace(now, muted=True))]) == ["participant-mute"]
    coach = replace(room.members[AI], coaching=True, coaches=ANA)
    assert events([*room.change(AI, coach)]) == ["participant-modify"]
    both = replace(room.members[AI], muted=False, hold=True)
    assert events([*room.change(AI, both)]) == ["participant-unmute", "participant-hold"]
    assert room.change(AI, room.members[AI]) == []
