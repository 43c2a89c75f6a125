"""The telephone exchange: places calls, takes calls in, and keeps the live legs.

Every way a call can come about is here once: by request, into a conference, by `<Dial>`, from
a phone of the town. What a connected leg then does is the interpreter's affair or a seat's.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal
from urllib.parse import parse_qsl, urljoin

from sandbox import twiml
from sandbox.amd import Detection, verdict
from sandbox.calls import (
    Call,
    CallBook,
    CallStatus,
    Progress,
    Subscription,
)
from sandbox.clock import Promise, sleep, within
from sandbox.conference import Leaving
from sandbox.directory import Application, Directory, Hooks, Number
from sandbox.earshot import Earshot
from sandbox.errors import Unknown
from sandbox.handset import Handset, PickUp
from sandbox.hearing import Sound, Speaking
from sandbox.ids import ApplicationSid, CallSid
from sandbox.interpreter import DialResult, Fetch, Interpreter, Source
from sandbox.journal import Kind
from sandbox.legs import Divert, HangUp, Leg
from sandbox.phones import Answers, Phone, Step, Unreachable
from sandbox.rate import CallRate
from sandbox.rooms import Floor, Rooms
from sandbox.seats import Conference, Entry, Seat
from sandbox.sound.frames import FRAME_TIME
from sandbox.webhooks import Method, Params, Webhook, Webhooks
from sandbox.world import World

_UNANSWERED: dict[PickUp, HangUp] = {
    "busy": HangUp("other", CallStatus.BUSY, 486),
    "unreachable": HangUp("other", CallStatus.FAILED, 404),
    "unanswered": HangUp("other", CallStatus.NO_ANSWER, 487),
}


@dataclass(frozen=True)
class Order:
    """A call to place by request."""

    from_: str
    to: str
    timeout_s: float = 60.0
    time_limit_s: float | None = None
    send_digits: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    detection: Detection | None = None
    fallback_url: str = ""
    fallback_method: Method = "POST"


class Patch:
    """The far end of a leg that is another leg of ours: what one hears, the other's far end says."""

    def __init__(self, other: Leg, *, noted: bool) -> None:
        self._other = other
        self._noted = noted

        self._speaking: Speaking | None = None

    def begins(self, sound: Sound, lasts: timedelta) -> None:
        if self._noted:
            self._speaking = self._other.begin_saying(sound.text, lasts)

    def hears(self, sound: Sound) -> None:
        speaking, self._speaking = self._speaking, None
        if speaking is not None:
            self._other.end_saying(speaking)
        elif self._noted:
            self._other.say(sound.text)
        else:
            self._other.overhear(sound.text)

    def receives_keys(self, digits: str) -> None:
        self._other.press(digits)

    def cut_off(self) -> None:
        self._other.interrupt(HangUp("far"))


class Exchange:
    """See the top of this file."""

    def __init__(
        self,
        world: World,
        book: CallBook,
        progress: Progress,
        webhooks: Webhooks,
        directory: Directory,
        rooms: Rooms,
        interpreter: Interpreter,
        rate: CallRate,
    ) -> None:
        self._world = world
        self._book = book
        self._progress = progress
        self._webhooks = webhooks
        self._directory = directory
        self._rooms = rooms
        self._interpreter = interpreter
        self.rate = rate
        self.on_leg: Callable[[Leg], None] | None = None  # told of every leg that comes to be
        self.legs: dict[CallSid, Leg] = {}
        self.handsets: dict[CallSid, Handset] = {}

    # ── by request ────────────────────────────────────────────────────────────────

    def place(self, order: Order, source: Source) -> Call:
        """Queue a call that will run a document once answered."""
        leg = self._order_leg(order)

        async def script() -> None:
            if not await self._dial_in_turn(leg, order):
                return
            answered_by = await self._detect(leg, order)
            await self._interpreter.run(leg, _with_params(source, answered_by))

        leg.begin(script)
        return leg.call

    def add_participant(self, order: Order, conference: Conference, entry: Entry) -> tuple[Call, Seat]:
        """Queue a call that will take a seat once answered."""
        leg = self._order_leg(order)
        seat = self._rooms.expect(conference, leg, entry)

        def dismissed(why: Leaving) -> None:
            if not leg.connected and why is Leaving.ENDED_BY_REQUEST:
                leg.interrupt(HangUp("api", CallStatus.CANCELED, 487))

        seat.left.then(dismissed)
        leg.at_end(lambda: self._rooms.leave(conference, seat, Leaving.NEVER_CAME))

        async def script() -> None:
            def ringing() -> None:
                self._rooms.early_media(conference, seat, "[ringing]")

            if await self._dial_in_turn(leg, order, ringing):
                await self._sit(leg, order, conference, seat)

        leg.begin(script)
        return leg.call, seat

    async def _sit(self, leg: Leg, order: Order, conference: Conference, seat: Seat) -> None:
        if order.detection is not None:
            beside = replace(order.detection, beside=True)
            await self._detect(leg, replace(order, detection=beside))
        self._rooms.arrive(conference, seat)
        why = Leaving.BY_REQUEST
        try:
            floor = Floor(self._rooms, conference, seat)
            with leg.listening("nobody", speech=floor.speech, carrier=floor):
                why = await seat.left.wait()
        finally:
            interruption = leg.pending_interruption
            if isinstance(interruption, HangUp) and interruption.by in {"far", "limit"}:
                why = Leaving.HUNG_UP
            self._rooms.leave(conference, seat, why)

    def _order_leg(self, order: Order) -> Leg:
        call = self._book.open(order.from_, order.to, "outbound-api", subscriptions=order.subscriptions)
        wait = self.rate.take_turn(self._world.clock.now())
        call.queue_ms = round(wait.total_seconds() * 1000)
        leg = self._leg(call)
        leg.fallback_url = order.fallback_url
        leg.fallback_method = order.fallback_method
        return leg

    def _leg(self, call: Call) -> Leg:
        leg = Leg(self._world, self._progress, call)
        self.legs[call.sid] = leg

        def forget() -> None:
            self.legs.pop(call.sid, None)
            self.handsets.pop(call.sid, None)

        leg.at_end(forget)
        if self.on_leg is not None:
            self.on_leg(leg)
        return leg

    async def _dial_in_turn(
        self, leg: Leg, order: Order, on_ringing: Callable[[], None] | None = None
    ) -> bool:
        """Wait for the leg's turn, dial, ring. True once connected."""
        await sleep(self._world.clock, timedelta(milliseconds=leg.call.queue_ms))
        timeout_s = order.timeout_s + self._world.assumptions.ring_buffer_s
        if not await self._ring(leg, timeout_s, on_ringing):
            return False
        leg.limit(order.time_limit_s or self._world.assumptions.default_time_limit_s)
        if order.send_digits and leg.far is not None:
            leg.far.receives_keys(order.send_digits)
        return True

    # ── ringing ───────────────────────────────────────────────────────────────────

    async def _ring(self, leg: Leg, timeout_s: float, on_ringing: Callable[[], None] | None = None) -> bool:
        """Dial and ring until it is answered or not; a miss is noted as the leg's outcome."""
        clock = self._world.clock
        self._progress.dialled(leg.call)
        await sleep(clock, timedelta(seconds=self._world.assumptions.post_dial_delay_s))
        picked_up = self._reach(leg)
        if not picked_up.kept:
            self._progress.ringing(leg.call)
            if on_ringing is not None:
                on_ringing()
        result = await within(clock, picked_up, timedelta(seconds=timeout_s), "unanswered")
        if result != "answered":
            leg.outcome = _UNANSWERED[result]
            return False
        leg.connect()
        if (handset := self.handsets.get(leg.call.sid)) is not None:
            handset.talk()
        return True

    def _reach(self, leg: Leg) -> Promise[PickUp]:
        """Find who answers at the dialled number and let it ring there."""
        to = leg.call.to
        if to.startswith("app:"):
            return self._reach_application(leg)
        if (number := self._directory.numbers.get(to)) is not None:
            return self._reach_number(leg, number)
        phone = self._directory.phone_at(to)
        behaviour = phone.take_call() if phone is not None else Unreachable()
        handset = self.handsets[leg.call.sid] = Handset(self._world, leg, behaviour, phone)
        handset.ring()
        return handset.picked_up

    def _reach_application(self, leg: Leg) -> Promise[PickUp]:
        sid, _, query = leg.call.to.removeprefix("app:").partition("?")
        application = self._directory.applications[ApplicationSid(sid)]
        custom = tuple(parse_qsl(query, keep_blank_values=True))
        other = self._application_leg(leg, application, custom)
        return self._reach_leg(leg, other, application.hooks)

    def _application_leg(self, leg: Leg, application: Application, custom: Params) -> Leg:
        """The side that runs the application: the same call, or one of its own."""
        assumptions = self._world.assumptions
        to = {
            "application": f"app:{application.sid}",
            "application-with-query": leg.call.to,
            "from": leg.call.from_,
        }[assumptions.app_webhook_to]
        extra = (*custom, ("ApplicationSid", application.sid))
        direction = assumptions.app_webhook_direction
        if assumptions.app_leg_has_own_sid:
            call = self._book.open(
                leg.call.from_, to, direction, status=CallStatus.RINGING, parent=leg.call.sid
            )
            call.extra = extra
            return self._leg(call)
        shadow = replace(
            leg.call,
            to=to,
            direction=direction,
            extra=extra,
            status=CallStatus.RINGING,
            subscriptions=(),
            heard=[],
        )
        return Leg(self._world, self._progress, shadow, owns_record=False)

    def _reach_number(self, leg: Leg, number: Number) -> Promise[PickUp]:
        hooks = self._directory.voice_hooks(number)
        call = self._book.open(
            leg.call.from_,
            number.number,
            "inbound",
            status=CallStatus.RINGING,
            number_sid=number.sid,
            subscriptions=_end_subscription(hooks),
        )
        return self._reach_leg(leg, self._leg(call), hooks)

    def _reach_leg(self, leg: Leg, other: Leg, hooks: Hooks) -> Promise[PickUp]:
        """Let the other leg run its document; it answers as an incoming call would."""
        picked_up: Promise[PickUp] = Promise(self._world.clock.work)
        leg.far = Patch(other, noted=False)
        other.far = Patch(leg, noted=True)
        if self._world.studio is not None and leg.circuit is not None and other.circuit is not None:
            self._world.studio.plane.cross(leg.circuit, other.circuit)

        def answered() -> None:
            other.call.status = CallStatus.IN_PROGRESS
            picked_up.keep("answered")

        other.on_answer = answered
        other.ended.then(lambda _: picked_up.keep("busy"))
        self._begin_hooked(other, hooks)
        return picked_up

    def _begin_hooked(self, leg: Leg, hooks: Hooks) -> None:
        """Run what a number or an application has as its voice URL."""
        if not hooks.voice_url:
            self._world.alert(21602, f"{leg.call.to} has no voice URL", call=leg.call.sid)
            leg.begin(_nothing)
            return
        leg.fallback_url = hooks.voice_fallback_url
        leg.fallback_method = hooks.voice_fallback_method
        fetch = Fetch(hooks.voice_url, hooks.voice_method, (), "voice")
        leg.begin(self._interpreter.script(leg, fetch))

    # ── incoming ──────────────────────────────────────────────────────────────────

    def incoming(self, phone: Phone, to: str, steps: tuple[Step, ...]) -> Call:
        """A phone of the town calls one of our numbers. Raises Unknown for any other."""
        number = self._directory.numbers.get(to)
        if number is None:
            message = f"{to} is no number of this account"
            raise Unknown(message)
        hooks = self._directory.voice_hooks(number)
        call = self._book.open(
            phone.number,
            to,
            "inbound",
            status=CallStatus.RINGING,
            number_sid=number.sid,
            subscriptions=_end_subscription(hooks),
        )
        leg = self._leg(call)
        handset = self.handsets[call.sid] = Handset(self._world, leg, Answers(0, *steps), phone)
        leg.on_answer = handset.talk
        self._progress.ringing(call)
        self._begin_hooked(leg, hooks)
        return call

    # ── <Dial><Number> ────────────────────────────────────────────────────────────

    async def dial_numbers(self, leg: Leg, dial: twiml.Dial, base_url: str) -> DialResult:
        """Ring all numbers at once, connect the first that takes the call, wait for the end."""
        numbers = dial.target if isinstance(dial.target, tuple) else ()
        contest = Contest(Promise(self._world.clock.work), Promise(self._world.clock.work))
        for number in numbers:
            contest.children.append(self._child(leg, dial, number, base_url, contest))
        leg.hear(Sound("[ringing]", "ringing"))
        silence = leg.sounds(self._world.own_sound("ring_back"), endless=True)
        contest.decided.then(lambda _: silence())
        try:
            winner = await contest.decided.wait()
            if winner is None:
                return DialResult(self._missed(contest), contest.children[-1].call.sid)
            return await self._bridge(leg, winner, dial, contest)
        finally:
            silence()
            contest.over.keep(None)
            for child in contest.children:
                child.interrupt(HangUp("other", CallStatus.CANCELED, 487))

    def _child(
        self, leg: Leg, dial: twiml.Dial, number: twiml.Number, base_url: str, contest: "Contest"
    ) -> Leg:
        callback = number.callback
        url = urljoin(base_url, callback.url) if callback.url else ""
        call = self._book.open(
            dial.caller_id or leg.call.from_,
            number.number,
            "outbound-dial",
            parent=leg.call.sid,
            subscriptions=(Subscription(url, callback.method, callback.events),) if url else (),
        )
        child = self._leg(call)

        async def script() -> None:
            if not await self._ring(child, dial.timeout_s):
                return
            contest.answered = True
            if self._world.assumptions.first_answer_cancels_others:
                contest.cancel_others(child)
            if number.url:
                screen = Fetch(urljoin(base_url, number.url), number.method, (), "screen")
                if not await self._interpreter.run(child, screen):
                    return
            contest.decided.keep(child)
            if await contest.decided.wait() is child:
                await self._be_bridged(child, leg, contest)

        child.ended.then(lambda _: contest.one_less())
        child.begin(script)
        return child

    async def _be_bridged(self, child: Leg, leg: Leg, contest: "Contest") -> None:
        across = _Across(leg, child)
        with child.listening("nobody", speech=across.speech, carrier=across):
            await contest.over.wait()

    async def _bridge(self, leg: Leg, child: Leg, dial: twiml.Dial, contest: "Contest") -> DialResult:
        def key(pressed: str) -> None:
            if pressed == "*" and dial.hangup_on_star:
                contest.over.keep(None)

        child.ended.then(lambda _: contest.over.keep(None))
        began = self._world.clock.now()
        taker: Literal["dial", "nobody"] = "dial" if dial.hangup_on_star else "nobody"
        across = _Across(child, leg)
        limit = timedelta(seconds=dial.time_limit_s)
        with leg.listening(taker, keys=key, speech=across.speech, carrier=across), self._bridged(leg, child):
            await within(self._world.clock, contest.over, limit, None)
        seconds = round((self._world.clock.now() - began).total_seconds())
        return DialResult("completed", child.call.sid, seconds)

    @contextmanager
    def _bridged(self, leg: Leg, child: Leg) -> Generator[None]:
        """Within, the two hear each other, where there is sound."""
        studio = self._world.studio
        if studio is None or leg.circuit is None or child.circuit is None:
            yield
            return
        studio.plane.bridge(leg.circuit, child.circuit)
        try:
            yield
        finally:
            studio.plane.part(leg.circuit, child.circuit)

    def _missed(self, contest: "Contest") -> str:
        if contest.answered:
            return self._world.assumptions.screened_out_status
        statuses = {child.call.status for child in contest.children}
        for status in (CallStatus.BUSY, CallStatus.NO_ANSWER, CallStatus.CANCELED):
            if status in statuses:
                return status.value
        return CallStatus.FAILED.value

    # ── while they last ───────────────────────────────────────────────────────────

    def redirect(self, call: Call, source: Source) -> bool:
        """Give a live leg another document; false when it is not connected."""
        leg = self.legs.get(call.sid)
        if leg is None or not leg.connected:
            return False
        url = source.url if isinstance(source, Fetch) else ""
        self._world.journal.write(Kind.CALL_REDIRECTED, call=call.sid, url=url)
        leg.interrupt(Divert(self._interpreter.script(leg, source)))
        return True

    def complete(self, call: Call) -> None:
        """End it, whatever its state."""
        if (leg := self.legs.get(call.sid)) is not None:
            leg.interrupt(HangUp("api", CallStatus.CANCELED, 487))

    def cancel(self, call: Call) -> None:
        """End it unless it has been answered."""
        leg = self.legs.get(call.sid)
        if leg is not None and not leg.connected:
            leg.interrupt(HangUp("api", CallStatus.CANCELED, 487))

    # ── machines ──────────────────────────────────────────────────────────────────

    async def _detect(self, leg: Leg, order: Order) -> Params:
        """The fields of a verdict waited for; empty when there is none, or it comes later."""
        detection = order.detection
        if detection is None:
            return ()
        if detection.beside:
            work = self._detect_beside(leg, detection)
            self._world.clock.work.spawn(work, name="answering machine detection")
            return ()
        found = verdict(self._world, self.handsets.get(leg.call.sid), detection)
        await sleep(self._world.clock, found.after)
        return self._found(leg, found.answered_by, found.after)

    async def _detect_beside(self, leg: Leg, detection: Detection) -> None:
        found = verdict(self._world, self.handsets.get(leg.call.sid), detection)
        await sleep(self._world.clock, found.after)
        if leg.over:
            return
        params = self._found(leg, found.answered_by, found.after)
        ids = (("CallSid", leg.call.sid), ("AccountSid", leg.call.account))
        self._webhooks.tell(
            Webhook(
                purpose="amd",
                point="amd",
                url=detection.callback_url,
                params=(*ids, *params),
                method=detection.callback_method,
                thing=leg.call.sid,
                numbers=(leg.call.from_, leg.call.to),
            )
        )

    def _found(self, leg: Leg, answered_by: str, after: timedelta) -> Params:
        leg.call.answered_by = answered_by
        self._world.journal.write(Kind.CALL_AMD, call=leg.call.sid, answered_by=answered_by)
        milliseconds = round(after / timedelta(milliseconds=1))
        return (("AnsweredBy", answered_by), ("MachineDetectionDuration", str(milliseconds)))


class _Across:
    """What one of two connected legs says goes to the other (a `Carrier`)."""

    def __init__(self, listener: Leg, speaker: Leg) -> None:
        self._listener = listener
        self._speaker = speaker
        self._earshot = Earshot(listener.world, lambda _: {listener.call.sid: listener})

    def carries(self, speaking: Speaking) -> None:
        self._earshot.carry(self._speaker.call.sid, speaking, FRAME_TIME)

    def reaches(self) -> list[str]:
        return [self._listener.call.sid]

    def speech(self, text: str) -> list[str]:
        self._listener.hear(Sound(text, "speech", by=self._speaker.call.sid))
        return self.reaches()


@dataclass
class Contest:
    """Several phones ringing for one caller."""

    decided: Promise[Leg | None]
    over: Promise[None]
    children: list[Leg] = field(default_factory=list[Leg])
    answered: bool = False
    lost: int = 0

    def one_less(self) -> None:
        self.lost += 1
        if self.lost == len(self.children):
            self.decided.keep(None)

    def cancel_others(self, winner: Leg) -> None:
        for child in self.children:
            if child is not winner and not child.connected:
                child.interrupt(HangUp("other", CallStatus.CANCELED, 487))


def _end_subscription(hooks: Hooks) -> tuple[Subscription, ...]:
    """A number's own callback tells only the end."""
    if not hooks.status_callback:
        return ()
    return (Subscription(hooks.status_callback, hooks.status_callback_method),)


def _with_params(source: Source, params: Params) -> Source:
    if isinstance(source, Fetch) and params:
        return replace(source, params=(*source.params, *params))
    return source


async def _nothing() -> None:
    """A leg nobody has anything to say to."""
