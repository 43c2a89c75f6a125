"""Conferences in operation: seats, callbacks, wait and hold sounds, announcements.

The rules are in `conference.py`; here they meet legs, webhooks and time.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from sandbox.audio import Audio
from sandbox.calls import rfc2822, voice_params
from sandbox.clock import Promise, sleep
from sandbox.conference import Happened, Leaving, Room, RoomStatus
from sandbox.earshot import Earshot
from sandbox.hearing import Sound, Speaking
from sandbox.ids import CallSid, ConferenceSid
from sandbox.journal import Kind
from sandbox.legs import Leg
from sandbox.room_events import SUBSCRIBED_AS, conference_params, event_params
from sandbox.seats import Change, Conference, Entry, Seat, SeatRefused, check_label, member_of
from sandbox.sound.frames import FRAME_MS
from sandbox.twiml import Method
from sandbox.webhooks import Failed, Params, Webhook, Webhooks
from sandbox.world import World

KEPT_CONFERENCES = 10_000  # some 1.4 KB each
SHORTEST_LOOP = timedelta(seconds=1)  # a silent wait document must not spin


@dataclass(frozen=True)
class Floor:
    """What a member says goes to the room (a `Carrier`)."""

    rooms: "Rooms"
    conference: Conference
    seat: Seat

    def carries(self, speaking: Speaking) -> None:
        self.rooms.carry(self.conference, self.seat, speaking)

    def reaches(self) -> list[str]:
        return list(self.conference.hearers(self.seat.leg.call.sid))

    def speech(self, text: str) -> list[str]:
        return self.rooms.speech(self.conference, self.seat, text)


class Rooms:
    """All conferences of the account."""

    def __init__(self, world: World, webhooks: Webhooks, audio: Audio) -> None:
        self._world = world
        self._webhooks = webhooks
        self._audio = audio
        self._by_sid: OrderedDict[ConferenceSid, Conference] = OrderedDict()
        self._active: dict[str, Conference] = {}

    # ── finding ───────────────────────────────────────────────────────────────────

    def get(self, sid: str) -> Conference | None:
        return self._by_sid.get(ConferenceSid(sid))

    def named(self, name: str) -> Conference | None:
        """The active conference of that name."""
        return self._active.get(name)

    def newest_first(self) -> list[Conference]:
        return list(reversed(self._by_sid.values()))

    # ── entering and leaving ──────────────────────────────────────────────────────

    def enter_by_name(self, name: str, entry: Entry) -> Conference:
        """The active conference of that name, or a new one with this entry's callback."""
        conference = self._active.get(name)
        return conference if conference is not None else self._open(name, entry)

    def _open(self, name: str, entry: Entry) -> Conference:
        now = self._world.clock.now()
        room = Room(
            sid=self._world.sids.conference(),
            name=name,
            max_participants=entry.max_participants,
            orphaned_coach=self._world.assumptions.orphaned_coach,
        )
        start = self._world.assumptions.conference_sequence_start
        conference = Conference(room, now, now, entry.callback, start)
        if self._world.studio is not None:
            conference.earshot = Earshot(self._world, conference.hearers)
        if len(self._by_sid) >= KEPT_CONFERENCES:
            ended = next((sid for sid, old in self._by_sid.items() if not old.room.active), None)
            if ended is not None:
                del self._by_sid[ended]
        self._by_sid[room.sid] = conference
        self._active[name] = conference
        return conference

    def refuse_entry(self, conference: Conference | None, entry: Entry) -> None:
        """Raise SeatRefused if that entry is impossible now."""
        if entry.label is not None:
            check_label(entry.label)
            if conference is not None and conference.room.labelled(entry.label) is not None:
                raise SeatRefused(16026, f"the label {entry.label} is taken")
        if conference is not None and conference.room.full:
            raise SeatRefused(16020, "the conference is full")
        if entry.coaches is not None:
            self._refuse_coaching(conference, entry.coaches)

    def _refuse_coaching(self, conference: Conference | None, coached: CallSid | None) -> None:
        room = conference.room if conference is not None else None
        if room is None or room.status is not RoomStatus.IN_PROGRESS or coached not in room.members:
            raise SeatRefused(16028, "the coached participant is not in this conference")

    def expect(self, conference: Conference, leg: Leg, entry: Entry) -> Seat:
        """Reserve a seat for a leg that is being dialled."""
        seat = self._seat(leg, entry, by_request=True)
        conference.seats[leg.call.sid] = seat
        conference.room.expect(member_of(leg, entry))
        return seat

    def _seat(self, leg: Leg, entry: Entry, *, by_request: bool) -> Seat:
        now = self._world.clock.now()
        return Seat(leg, entry, now, now, by_request, Promise(self._world.clock.work))

    def take(self, name: str, leg: Leg, entry: Entry) -> tuple[Conference, Seat]:
        """Seat a leg by its document, opening the room if need be. Raises SeatRefused."""
        self.refuse_entry(self.named(name), entry)
        conference = self.enter_by_name(name, entry)
        seat = self._seat(leg, entry, by_request=False)
        conference.seats[leg.call.sid] = seat
        self._join(conference, seat)
        return conference, seat

    def arrive(self, conference: Conference, seat: Seat) -> None:
        """A reserved leg has answered. In an ended room it is told to leave at once."""
        if not conference.room.active:
            seat.left.keep(Leaving.ENDED_BY_REQUEST)
            return
        self._join(conference, seat)

    def _join(self, conference: Conference, seat: Seat) -> None:
        started = conference.room.status is RoomStatus.IN_PROGRESS
        news = conference.room.join(member_of(seat.leg, seat.entry))
        seat.updated = self._world.clock.now()
        self._connect(conference, seat)
        self._report(conference, news)
        if seat.entry.beep in {"true", "onEnter"} and started:
            self._beep(conference)
        if conference.room.status is RoomStatus.INIT:
            self._wait_audio(conference, seat)
        elif not started:
            for waiting in conference.seats.values():
                waiting.stop_audio()

    def _connect(self, conference: Conference, seat: Seat) -> None:
        studio, circuit = self._world.studio, seat.leg.circuit
        if studio is not None and circuit is not None:
            studio.plane.join(circuit, conference.room, self._delay_ms(seat) // FRAME_MS)

    def _delay_ms(self, seat: Seat) -> int:
        """How long that member's voice takes to the others' ears."""
        assumptions = self._world.assumptions
        return {
            "off": assumptions.jitter_off_ms,
            "small": assumptions.jitter_small_ms,
            "medium": assumptions.jitter_medium_ms,
            "large": assumptions.jitter_large_ms,
        }[seat.entry.jitter_buffer]

    def _beep(self, conference: Conference) -> None:
        for leg in self._legs_in(conference):
            leg.sounds(self._world.own_sound("beep"))
            leg.hear(Sound("[beep]", "beep"))

    def leave(self, conference: Conference, seat: Seat, why: Leaving) -> None:
        """The leg is out of the room; again or unknown: nothing happens."""
        sid = seat.leg.call.sid
        if conference.seats.get(sid) is not seat:
            return
        seat.stop_audio()
        seat.leg.cut_emissions()
        if self._world.studio is not None and seat.leg.circuit is not None:
            self._world.studio.plane.leave(seat.leg.circuit)
        seat.left.keep(why)
        others = dict(conference.seats)
        del conference.seats[sid]
        news = conference.room.leave(sid, why)
        if seat.entry.beep in {"true", "onExit"} and conference.room.active:
            self._beep(conference)
        self._report(conference, news, seats=others)
        if not conference.room.active:
            self._dismiss(conference, Leaving.MODERATOR_ENDED)
        elif self._alone_again(conference):
            for lonely in conference.seats.values():
                self._wait_audio(conference, lonely)

    def _alone_again(self, conference: Conference) -> bool:
        room = conference.room
        waits = self._world.assumptions.alone_again_hears == "wait"
        return waits and room.status is RoomStatus.IN_PROGRESS and len(room.members) == 1

    def kick(self, conference: Conference, seat: Seat) -> None:
        """Out by request (DELETE). What the leg does next is its script's affair."""
        self.leave(conference, seat, Leaving.KICKED)

    def end(self, conference: Conference) -> None:
        """Everybody out by request (Status=completed). An ended one stays as it is."""
        if not conference.room.active:
            return
        news = conference.room.end()
        self._report(conference, news)
        self._dismiss(conference, Leaving.ENDED_BY_REQUEST)

    def _dismiss(self, conference: Conference, why: Leaving) -> None:
        """The room is closed: free its name and send everybody away."""
        if self._active.get(conference.room.name) is conference:
            del self._active[conference.room.name]
        seats = list(conference.seats.values())
        conference.seats.clear()
        conference.room.pending.clear()
        for seat in seats:
            seat.stop_audio()
            seat.leg.cut_emissions()
            if self._world.studio is not None and seat.leg.circuit is not None:
                self._world.studio.plane.leave(seat.leg.circuit)
            seat.left.keep(why)
        if self._world.studio is not None:
            self._world.studio.plane.close(conference.room)

    # ── while it lasts ────────────────────────────────────────────────────────────

    def update(self, conference: Conference, seat: Seat, change: Change) -> None:
        """Change a member's flags. Raises SeatRefused (16028) and then changes nothing.

        In pessimistic mode coaching takes effect late, while an unmute in the same request
        is at once: the worst order there is.
        """
        coaching, coaches = self._coaching(conference, seat, change)
        member = conference.member(seat)
        seat.updated = self._world.clock.now()
        at_once = replace(
            member,
            muted=member.muted if change.muted is None else change.muted,
            hold=member.hold if change.hold is None else change.hold,
            end_on_exit=member.end_on_exit if change.end_on_exit is None else change.end_on_exit,
        )
        others = change.beep_on_exit is not None or change.wait_url is not None
        switch_s = self._world.assumptions.coach_switch_s
        late = (coaching, coaches) != (member.coaching, member.coaches) and switch_s > 0
        if not late:
            at_once = replace(at_once, coaching=coaching, coaches=coaches)
        sid = seat.leg.call.sid
        self._report(conference, conference.room.change(sid, at_once, beep_or_wait=others))
        if late:
            work = self._switch_later(conference, seat, coaching=coaching, coaches=coaches)
            self._world.clock.work.spawn(work, name="coach switch")
        if change.hold is not None:
            self._hold_audio(conference, seat, change)

    def _coaching(self, conference: Conference, seat: Seat, change: Change) -> tuple[bool, CallSid | None]:
        member = conference.member(seat)
        if change.coaching is None and change.coaches is None:
            return member.coaching, member.coaches
        if change.coaching is False:
            return False, None
        coaches = change.coaches or member.coaches
        self._refuse_coaching(conference, coaches)
        return True, coaches

    async def _switch_later(
        self, conference: Conference, seat: Seat, *, coaching: bool, coaches: CallSid | None
    ) -> None:
        await sleep(self._world.clock, timedelta(seconds=self._world.assumptions.coach_switch_s))
        sid = seat.leg.call.sid
        if sid in conference.room.members:
            member = conference.room.members[sid]
            changed = replace(member, coaching=coaching, coaches=coaches)
            self._report(conference, conference.room.change(sid, changed))

    def speech(self, conference: Conference, seat: Seat, text: str) -> list[str]:
        """A member has spoken, in no time: those who may hear it do. Gives their call SIDs."""
        speaker = seat.leg.call.sid
        reached = conference.hearers(speaker)
        for leg in reached.values():
            leg.hear(Sound(text, "speech", by=speaker))
        self._tell_speech(conference, seat, "start", "stop")
        return list(reached)

    def _tell_speech(self, conference: Conference, seat: Seat, *events: str) -> None:
        if member := conference.room.members.get(seat.leg.call.sid):
            self._report(conference, [Happened(f"participant-speech-{event}", member) for event in events])

    def carry(self, conference: Conference, seat: Seat, speaking: Speaking) -> None:
        """A member speaks: whoever hears it from now on does, as long as they do."""
        if conference.earshot is None:
            return
        delay = timedelta(milliseconds=self._delay_ms(seat))
        conference.earshot.carry(seat.leg.call.sid, speaking, delay)
        self._tell_speech(conference, seat, "start")
        speaking.over.then(lambda _: self._tell_speech(conference, seat, "stop"))

    def early_media(self, conference: Conference, seat: Seat, text: str) -> None:
        """What the line being dialled sounds like, heard by the room if so asked."""
        if seat.entry.early_media and conference.room.status is RoomStatus.IN_PROGRESS:
            for leg in self._legs_in(conference):
                silence = leg.sounds(self._world.own_sound("ring_back"), endless=True)
                seat.leg.on_connected(silence)
                leg.hear(Sound(text, "ringing", by=seat.leg.call.sid))

    def announce(self, conference: Conference, seat: Seat | None, url: str, method: Method) -> None:
        """Play a document to one member or to the room; does not wait for it."""
        work = self._announce(conference, seat, url, method)
        self._world.clock.work.spawn(work, name="announcement")

    async def _announce(self, conference: Conference, seat: Seat | None, url: str, method: Method) -> None:
        def audience() -> list[Leg]:
            if seat is None:
                return self._legs_in(conference)
            still_here = conference.seats.get(seat.leg.call.sid) is seat
            return [seat.leg] if still_here else []

        params: Params = conference_params(conference)
        if seat is not None:
            params = (*voice_params(seat.leg.call), *params)
        failed = await self._audio.play(
            "announce", url, method, params, audience, "announcement", conference.sid
        )
        member = None if seat is None else conference.room.members.get(seat.leg.call.sid)
        if failed is None:
            news = Happened("announcement-end", member)
        else:
            self._world.alert(failed.code, failed.reason, url=url)
            news = Happened("announcement-fail", member, failed.reason)
        self._report(conference, [news], announced=url)

    def _legs_in(self, conference: Conference) -> list[Leg]:
        return [conference.seats[sid].leg for sid in conference.room.members if sid in conference.seats]

    # ── waiting and holding ───────────────────────────────────────────────────────

    def _wait_audio(self, conference: Conference, seat: Seat) -> None:
        url = seat.entry.wait_url
        if url is None:
            seat.stop_audio()
            seat.music = seat.leg.sounds(self._world.own_sound("music"), endless=True)
            seat.leg.hear(Sound("[music]", "music"))
        elif url:
            self._loop_audio(conference, seat, "wait", url, seat.entry.wait_method)

    def _hold_audio(self, conference: Conference, seat: Seat, change: Change) -> None:
        seat.stop_audio()
        if not change.hold:
            return
        if change.hold_url:
            self._loop_audio(conference, seat, "hold", change.hold_url, change.hold_method)
        else:
            seat.music = seat.leg.sounds(self._world.own_sound("music"), endless=True)
            seat.leg.hear(Sound("[hold music]", "music"))

    def _loop_audio(
        self,
        conference: Conference,
        seat: Seat,
        purpose: Literal["wait", "hold"],
        url: str,
        method: Method,
    ) -> None:
        seat.stop_audio()
        work = self._audio_loop(conference, seat, purpose, url, method)
        seat.audio = self._world.clock.work.spawn(work, name=f"{purpose} audio")

    async def _audio_loop(
        self, conference: Conference, seat: Seat, purpose: str, url: str, method: Method
    ) -> None:
        params = (*voice_params(seat.leg.call), *conference_params(conference))
        clock = self._world.clock
        while True:
            began = clock.now()
            failed = await self._audio.play(
                purpose, url, method, params, lambda: [seat.leg], "music", seat.leg.call.sid
            )
            if isinstance(failed, Failed):
                self._world.alert(13233, failed.reason, call=seat.leg.call.sid, url=url)
                return
            await sleep(clock, SHORTEST_LOOP - (clock.now() - began))

    # ── telling ───────────────────────────────────────────────────────────────────

    def _report(
        self,
        conference: Conference,
        news: Iterable[Happened],
        *,
        announced: str = "",
        seats: dict[CallSid, Seat] | None = None,
    ) -> None:
        conference.updated = self._world.clock.now()
        if conference.earshot is not None:
            conference.earshot.follow()
        known = seats if seats is not None else conference.seats
        for happened in news:
            self._write(conference, happened)
            if SUBSCRIBED_AS[happened.event] not in conference.callback.events:
                continue
            seat = known.get(happened.member.call) if happened.member is not None else None
            params = (
                ("AccountSid", self._world.account.sid),
                *event_params(conference, happened, seat, announced),
            )
            self._webhooks.tell(
                Webhook(
                    purpose=f"conference {happened.event}",
                    point=f"conference.{happened.event}",
                    url=conference.callback.url,
                    params=(*params, ("Timestamp", rfc2822(self._world.clock.now()))),
                    method=conference.callback.method,
                    thing=conference.sid,
                )
            )
            conference.sequence += 1

    def _write(self, conference: Conference, happened: Happened) -> None:
        member = happened.member
        flags: dict[str, object] = (
            {}
            if member is None
            else {
                "label": member.label,
                "muted": member.muted,
                "hold": member.hold,
                "coaching": member.coaching,
                "coaches": member.coaches,
            }
        )
        self._world.journal.write(
            Kind.CONFERENCE,
            call=None if member is None else member.call,
            conference=conference.sid,
            event=happened.event,
            name=conference.room.name,
            reason=happened.reason,
            more=flags,
        )
