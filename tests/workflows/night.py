"""Words for telling a night in tests of the pure core: people, instants, a ladder and what the phones did.

A `Night` holds one escalation and what was ordered so far; each method is one thing that happened.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from workflows import call as room
from workflows import call_news, labels
from workflows import emergency as em
from workflows import ladder as lad
from workflows import responder as res
from workflows.assistant import Assistant, Step
from workflows.call_state import (
    Call,
)
from workflows.emergency import Caller, Effect, Escalation, Event, TimerKind
from workflows.pages import Evidence, Page, Standing
from workflows.responder import Phone, Request
from workflows.values import (
    Act,
    ActId,
    ActKind,
    ActReply,
    CallSid,
    Case,
    Channel,
    ConferenceSid,
    EscalationId,
    Fact,
    FactKind,
    Ladder,
    Line,
    LineId,
    PageId,
    PersonId,
    Responder,
    RingId,
    Rung,
    Severity,
    Via,
)

E = TypeVar("E")

NIGHT = datetime(2026, 3, 1, 2, 18, tzinfo=UTC)
LINE = Line(LineId("clinic"), "Clinic", "+15550100", "911", ("en", "es"))
CALLER = Caller(CallSid("CAcaller"), "af-CAcaller")
SEED = "seed of the night"


def at(seconds: float) -> datetime:
    """So many seconds after the call rang in."""
    return NIGHT + timedelta(seconds=seconds)


def person(name: str, *, phone: bool = True, text: bool = True, push: bool = False) -> Responder:
    """Somebody on the ladder, by default with a phone that takes SMS."""
    number = f"+1555{sum(map(ord, name)):07}"
    return Responder(
        PersonId(name.lower()),
        name,
        phone=number if phone else None,
        text_to=number if text else None,
        push=(f"ntfy://push/{name.lower()}",) if push else (),
    )


ana, ben, cho, dan = person("Ana"), person("Ben"), person("Cho"), person("Dan")


def rung(
    *people: Responder, wait_s: float = 120, wait_nobody_s: float = 300, ring_again_s: float = 0
) -> Rung:
    """A rung; by default its phones ring once, so that a story's clock has one hand."""
    return Rung("rung", people, wait_s, wait_nobody_s, ring_again_s)


def a_case(severity: Severity = Severity.URGENT, contact: str | None = "+15550177") -> Case:
    """Water through a ceiling."""
    return Case(LINE, "water", "water through the ceiling", severity, contact)


class Night:
    """One escalation, told event by event. `last` is what the last event ordered, `ordered` everything."""

    def __init__(
        self,
        *rungs: Rung,
        caller: bool = True,
        severity: Severity = Severity.URGENT,
        last_resort: tuple[Responder, ...] = (),
        contact: str | None = "+15550177",
        pauses_s: tuple[float, ...] = (0.0, 300.0, 900.0, 1800.0),
    ) -> None:
        """rungs: the ladder. caller: whether somebody waits on the line."""
        begun = lad.begin(
            EscalationId("esc"),
            a_case(severity, contact),
            Ladder(rungs, last_resort, pauses_s),
            SEED,
            (CALLER,) if caller else (),
            NIGHT,
        )
        self.state: Escalation = begun.state
        self.last: tuple[Effect, ...] = begun.effects
        self.ordered: list[Effect] = list(begun.effects)
        self.now = 0.0

    def hears(self, event: Event) -> tuple[Effect, ...]:
        """The escalation hears this news."""
        return self._decided(event)[0]

    def _decided(self, event: Event) -> tuple[tuple[Effect, ...], ActReply | None]:
        decision = lad.decide(self.state, event)
        self.state, self.last = decision.state, decision.effects
        self.ordered += decision.effects
        self.now = max(self.now, (event.at - NIGHT).total_seconds())
        return decision.effects, decision.reply

    def time_passes(self, until: float) -> tuple[Effect, ...]:
        """Every timer due by then fires at its instant; what they ordered together."""
        together: list[Effect] = []
        for _ in range(1000):
            timer = lad.armed(self.state)
            if timer is None or timer.at > at(until):
                break
            together += self.hears(em.TimerFired(max(timer.at, at(self.now))))
        self.now = max(self.now, until)
        self.last = tuple(together)
        return self.last

    # What is so

    def page_of(self, who: Responder) -> Page:
        """The latest page of this person."""
        return next(p for p in reversed(self.state.pages) if p.responder.id == who.id)

    def orders(self, kind: type[E]) -> list[E]:
        """Everything of this kind that the last event ordered."""
        return [effect for effect in self.last if isinstance(effect, kind)]

    def ever(self, kind: type[E]) -> list[E]:
        """Everything of this kind ordered since the beginning."""
        return [effect for effect in self.ordered if isinstance(effect, kind)]

    @property
    def rung_now(self) -> list[str]:
        """Whose phones the last event ordered to ring."""
        return [order.page.responder.name for order in self.orders(em.RingPage)]

    @property
    def told_now(self) -> list[str]:
        """The kinds of facts the last event had told to the caller."""
        return [order.fact.kind for order in self.orders(em.TellCaller)]

    @property
    def withdrawn_now(self) -> set[str]:
        """Who need not answer any more since the last event."""
        return {who for order in self.orders(em.Withdraw) for who in order.people}

    @property
    def phase(self) -> str:
        """Where the escalation stands."""
        return self.state.phase

    @property
    def owner(self) -> str | None:
        """The name of whoever has it."""
        return self.state.owner.responder.name if self.state.owner else None

    @property
    def timer(self) -> tuple[TimerKind, float] | None:
        """The armed timer: what for, and at which second of the night."""
        timer = lad.armed(self.state)
        return (timer.kind, (timer.at - NIGHT).total_seconds()) if timer else None

    # What phones do

    def news(
        self,
        who: Responder,
        standing: Standing,
        when: float,
        channel: Channel = Channel.VOICE,
        *,
        page: Page | None = None,
        ring: int | None = None,
        sid: str = "SM1",
    ) -> tuple[Effect, ...]:
        """One channel of this person's latest page (or the given one) came so far."""
        page = page or self.page_of(who)
        ring = page.rings if ring is None else ring
        return self.hears(em.PageMoved(page.id, channel, Evidence(standing, sid, at(when)), at(when), ring))

    def submitted(self, who: Responder, when: float) -> tuple[Effect, ...]:
        """The provider took this person's call."""
        return self.news(who, Standing.SUBMITTED, when)

    def reached(self, who: Responder, when: float) -> tuple[Effect, ...]:
        """The handset rings."""
        return self.news(who, Standing.REACHED, when)

    def unanswered(self, who: Responder, when: float) -> tuple[Effect, ...]:
        """Busy, no answer, or a handset out of reach."""
        return self.news(who, Standing.UNANSWERED, when)

    def failed_for_good(
        self,
        who: Responder,
        when: float,
        channels: Iterable[Channel] = (Channel.VOICE, Channel.TEXT, Channel.PUSH),
    ) -> tuple[Effect, ...]:
        """These channels of the page will never work. What the news ordered together."""
        page = self.page_of(who)
        together = [
            effect
            for channel in channels
            if page.on(channel).standing is not Standing.ABSENT
            for effect in self.news(who, Standing.FAILED, when, channel, page=page)
        ]
        self.last = tuple(together)
        return self.last

    # What people do

    def acts(self, act: Act, when: float) -> ActReply:
        """The workflow hears an act and answers in the same breath."""
        reply = self._decided(em.Acted(act, at(when)))[1]
        assert reply is not None
        return reply

    def presses_mine(self, who: Responder, when: float, *, leg: str | None = None) -> ActReply:
        """The accepting key, pressed on a page call."""
        return self.acts(
            replace(an_act(who, ActKind.ACKNOWLEDGE, Via.KEY, leg), page=self.page_of(who).id), when
        )

    def presses_mine_as_stranger(self, who: Responder, when: float) -> ActReply:
        """A key from somebody whom nobody paged."""
        return self.acts(an_act(who, ActKind.ACKNOWLEDGE, Via.KEY), when)

    def texts_mine(self, who: Responder, when: float, code: str | None = None) -> ActReply:
        """An SMS with the code of their page: an acknowledgement without a leg."""
        page = self.page_of(who)
        act = replace(an_act(who, ActKind.ACKNOWLEDGE, Via.TEXT), page=page.id, code=code or page.code)
        return self.acts(act, when)

    def says_not_me(self, who: Responder, when: float) -> ActReply:
        """The declining key."""
        return self.acts(an_act(who, ActKind.DECLINE, Via.KEY), when)

    def resolves(self, who: Responder, when: float) -> ActReply:
        """It is over."""
        return self.acts(an_act(who, ActKind.RESOLVE, Via.CONSOLE), when)

    def cancels(self, who: Responder, when: float) -> ActReply:
        """It never was."""
        return self.acts(an_act(who, ActKind.CANCEL, Via.CONSOLE), when)

    def joins(
        self, who: Responder, when: float, leg: str | None = None, *, room: str = ""
    ) -> tuple[Effect, ...]:
        """Their leg is in the room."""
        return self.hears(em.ResponderJoined(who.id, CallSid(leg or f"CA{who.id}"), at(when), room))

    def leaves(self, who: Responder, when: float, leg: str | None = None) -> tuple[Effect, ...]:
        """Their leg has left the room."""
        return self.hears(em.ResponderLeft(who.id, CallSid(leg or f"CA{who.id}"), at(when)))

    def caller_hangs_up(self, when: float, caller: Caller = CALLER) -> tuple[Effect, ...]:
        """The caller is off the line."""
        return self.hears(em.CallerGone(caller.call, at(when)))

    def caller_rings(self, when: float, caller: Caller = CALLER) -> tuple[Effect, ...]:
        """A call is attached."""
        return self.hears(em.CallerAttached(caller.call, caller.conference, at(when)))


_acts = iter(range(1_000_000))


def an_act(who: Responder, kind: ActKind, via: Via = Via.CONSOLE, leg: str | None = None) -> Act:
    """Something this person did, with an id of its own. A key is pressed on a leg."""
    sid = CallSid(leg or f"CA{who.id}") if via is Via.KEY else None
    return Act(kind, ActId(f"act-{next(_acts)}"), who.id, via, leg=sid)


def asks(
    escalation: str,
    when: float = 0,
    *,
    join: bool = False,
    ring: int = 1,
    severity: Severity = Severity.URGENT,
    has_phone: bool = True,
) -> Request:
    """An escalation's wish that Ana's phone ring."""
    return Request(
        PageId(f"{escalation}.{'in' if join else 1}"),
        EscalationId(escalation),
        ana if has_phone else replace(ana, phone=None),
        a_case(severity),
        code="4711",
        conference="af-CAcaller",
        at=at(when),
        kind="join" if join else "page",
        ring=ring,
    )


class Handset:
    """Ana's phone, told event by event."""

    def __init__(self, seed: str = SEED) -> None:
        """A phone nobody has asked for yet."""
        self.phone = Phone(seed)
        self.last: tuple[res.Effect, ...] = ()
        self.ordered: list[res.Effect] = []

    def hears(self, event: res.Event) -> tuple[res.Effect, ...]:
        """The phone's owner workflow hears this news."""
        self.phone, self.last = res.decide(self.phone, event)
        self.ordered += self.last
        return self.last

    @property
    def ring(self) -> res.Ring:
        """The call that is going out, or on."""
        assert self.phone.ring is not None
        return self.phone.ring

    @property
    def items(self) -> tuple[res.Item, ...]:
        """The pages in that call, with their keys."""
        return self.ring.items

    @property
    def pages_in_the_call(self) -> list[str]:
        """The escalations whose pages are in that call."""
        return [item.request.escalation for item in self.items]

    @property
    def keys(self) -> list[str]:
        """Every key that does something in that call."""
        return [key for item in self.items for key in (item.accept, item.decline)]

    def orders(self, kind: type[E]) -> list[E]:
        """Everything of this kind that the last event ordered."""
        return [effect for effect in self.last if isinstance(effect, kind)]

    def ever(self, kind: type[E]) -> list[E]:
        """Everything of this kind ordered since the beginning."""
        return [effect for effect in self.ordered if isinstance(effect, kind)]

    def reported(self, escalation: str) -> list[Standing]:
        """What the escalation was told of its page, in order."""
        return [
            told.evidence.standing for told in self.ever(res.Report) if told.request.escalation == escalation
        ]

    def asked_for(
        self,
        escalation: str,
        when: float = 0,
        *,
        join: bool = False,
        ring: int = 1,
        severity: Severity = Severity.URGENT,
        has_phone: bool = True,
    ) -> tuple[res.Effect, ...]:
        """An escalation asks for this phone."""
        request = asks(escalation, when, join=join, ring=ring, severity=severity, has_phone=has_phone)
        return self.hears(res.Requested(request, at(when)))

    def withdrawn(self, escalation: str, when: float, owner: str | None = None) -> tuple[res.Effect, ...]:
        """That escalation needs Ana no more."""
        return self.hears(res.Withdrawn(EscalationId(escalation), owner, at(when)))

    def expired(self, escalation: str, when: float) -> tuple[res.Effect, ...]:
        """The rung of that escalation's page is over."""
        return self.hears(res.Expired(PageId(f"{escalation}.1"), at(when)))

    def placed(self, sid: str, when: float) -> tuple[res.Effect, ...]:
        """The provider took the call."""
        return self.hears(res.Placed(self.ring.id, CallSid(sid), at(when)))

    def doubtful(self, when: float) -> tuple[res.Effect, ...]:
        """The provider's answer never came."""
        return self.hears(res.Doubtful(self.ring.id, at(when)))

    def refused(self, when: float) -> tuple[res.Effect, ...]:
        """The provider will never place this call."""
        return self.hears(res.Refused(self.ring.id, "21211: invalid number", at(when)))

    def unplaced(self, when: float) -> tuple[res.Effect, ...]:
        """The call was withdrawn while it was queued."""
        return self.hears(res.Unplaced(self.ring.id, at(when)))

    def says(
        self, status: str, when: float, *, sid: str | None = None, ring: RingId | None = None
    ) -> tuple[res.Effect, ...]:
        """The provider's callback, in its words. After the call's end: about the last one."""
        known = self.phone.ring
        last_sid = self.phone.known_sids[-1] if self.phone.known_sids else CallSid("CA1")
        of_call = CallSid(sid) if sid else (known.sid if known and known.sid else last_sid)
        about = ring or (known.id if known else RingId("1-over"))
        return self.hears(res.Progressed(about, of_call, status, at(when)))

    def looked_for(self, sid: str | None, when: float) -> tuple[res.Effect, ...]:
        """What looking found."""
        return self.hears(res.LookedFor(self.ring.id, CallSid(sid) if sid else None, at(when)))

    def time_comes(self, when: float) -> tuple[res.Effect, ...]:
        """The armed timer fires."""
        return self.hears(res.Due(at(when)))

    def every_look_finds_nothing(self) -> None:
        """All the looks that a doubtful call gets come back empty."""
        for _ in res.LOOKS:
            due = res.due_at(self.phone)
            assert due is not None
            (look,) = self.hears(res.Due(due))
            assert isinstance(look, res.LookFor)
            self.hears(res.LookedFor(look.ring.id, None, due))

    def never_sent_again(self, until: float) -> bool:
        """Whether no further call is placed although every look finds nothing."""
        before = len(self.ever(res.Place))
        while (due := res.due_at(self.phone)) is not None and due <= at(until):
            for order in self.hears(res.Due(due)):
                if isinstance(order, res.LookFor):
                    self.hears(res.LookedFor(order.ring.id, None, due))
        return len(self.ever(res.Place)) == before


ROOM = ConferenceSid("CF1")


class Room:
    """One call and its room, told event by event."""

    def __init__(self, *, assistant: bool = True) -> None:
        """The caller has just rung in and is in the menu."""
        self.call = Call(
            CALLER.call, replace(LINE, assistant=assistant), "+15550177", CALLER.conference, NIGHT, NIGHT
        )
        self.conference = ROOM
        self.last: tuple[call_news.Effect, ...] = ()
        self.ordered: list[call_news.Effect] = []
        self.now = 0.0

    def hears(self, event: call_news.Event) -> tuple[call_news.Effect, ...]:
        """The call hears this news."""
        self.now = max(self.now, (event.at - NIGHT).total_seconds())
        self.call, self.last = room.decide(self.call, event)
        self.ordered += self.last
        return self.last

    def orders(self, kind: type[E]) -> list[E]:
        """Everything of this kind that the last event ordered."""
        return [effect for effect in self.last if isinstance(effect, kind)]

    def ever(self, kind: type[E]) -> list[E]:
        """Everything of this kind ordered since the beginning."""
        return [effect for effect in self.ordered if isinstance(effect, kind)]

    def _at(self, when: float | None) -> datetime:
        return at(self.now if when is None else when)

    # The caller

    def reports(self, when: float | None = None, severity: Severity = Severity.URGENT) -> None:
        """The caller reports an emergency."""
        self.hears(call_news.Reported(a_case(severity), self._at(when)))

    def enters(self, sid: CallSid, label: str, conference: ConferenceSid | None = None) -> None:
        """A leg is in the room."""
        self.hears(call_news.Joined(conference or self.conference, sid, label, self._at(None)))

    def caller_waits(self) -> None:
        """The caller comes into the room."""
        self.enters(self.call.sid, labels.caller_label(self.call.sid))

    def caller_hangs_up(self, when: float | None = None) -> None:
        """The caller's call is over."""
        self.hears(call_news.CallerEnded(self._at(when)))

    def is_told(self, kind: FactKind, fact_id: str = "", when: float | None = None) -> None:
        """The escalation has something true for the caller."""
        self.hears(
            call_news.Told(Fact(fact_id or f"esc#{len(self.ordered)}-{kind}", kind, 1), self._at(when))
        )

    def has_heard_it(self, when: float | None = None) -> None:
        """The announcement ended."""
        self.hears(call_news.AnnouncementEnded(self._at(when)))

    @property
    def announced(self) -> list[str]:
        """The facts played to the caller since the beginning, in order."""
        return [announce.fact.kind for announce in self.ever(call_news.Announce)]

    # Responders

    def is_expected(self, who: Responder, leg: str | None = None) -> None:
        """Their leg is coming into the room."""
        self.hears(call_news.SeatExpected(who, self.leg(who, leg), self._at(None)))

    def joins(self, who: Responder, leg: str | None = None) -> None:
        """Their leg is in the room."""
        self.enters(self.leg(who, leg), labels.responder_label(who.id, self.leg(who, leg)))

    def comes(self, who: Responder) -> None:
        """Expected, and in the room."""
        self.is_expected(who)
        self.joins(who)

    def leaves(self, sid: CallSid, conference: ConferenceSid | None = None) -> None:
        """A leg is no longer in the room."""
        self.hears(call_news.Left(conference or self.conference, sid, self._at(None)))

    def steps_out(self, who: Responder) -> None:
        """They pressed `*` and are in the menu."""
        self.leaves(self.leg(who))
        self.hears(call_news.SteppedOut(self.leg(who), self._at(None)))

    def hangs_up(self, who: Responder) -> None:
        """Their call is over."""
        self.leaves(self.leg(who))
        self.hears(call_news.LegEnded(self.leg(who), self._at(None)))

    @staticmethod
    def leg(who: Responder, leg: str | None = None) -> CallSid:
        """The leg of theirs."""
        return CallSid(leg or f"CA{who.id}")

    # The AI

    @property
    def ai(self) -> Assistant:
        """The AI's leg as far as it is known."""
        return self.call.assistant

    def step_succeeds(self) -> Step:
        """The step under way is done."""
        step = self.call.step
        assert step is not None
        adds = step is Step.ADD
        sid = CallSid(f"CAai{self.ai.generation}") if adds else None
        conference = self.conference if adds else None
        self.hears(
            call_news.StepDone(step, self._at(None), sid, conference, self.ai.generation, self.ai.bridge)
        )
        return step

    def step_fails(self, *, gone: bool = False) -> Step:
        """The step under way failed for good."""
        step = self.call.step
        assert step is not None
        self.hears(
            call_news.StepFailed(step, "no answer", gone, self._at(None), self.ai.generation, self.ai.bridge)
        )
        return step

    def steps_succeed(self) -> list[Step]:
        """Every step succeeds, until none is under way."""
        steps: list[Step] = []
        while self.call.step is not None and len(steps) < 20:
            steps.append(self.step_succeeds())
        return steps

    def ai_joins(self, generation: int | None = None, sid: str | None = None) -> None:
        """The AI's leg is in the room."""
        nth = self.ai.generation if generation is None else generation
        self.enters(CallSid(sid or f"CAai{nth}"), labels.assistant_label(self.call.sid, nth))

    def bridge_attaches(self, queue: str = "bridge-1", nonce: str = "") -> None:
        """A bridge carries the AI's audio."""
        self.hears(call_news.BridgeAttached(self.ai.generation, queue, self._at(None), nonce))

    def ai_is_seated(self) -> list[Step]:
        """The AI's leg is added, comes in, is attached to a bridge, and has its role."""
        first = self.steps_succeed()
        self.ai_joins()
        self.bridge_attaches()
        return first + self.steps_succeed()

    # The network's word

    def looked(
        self,
        *present: tuple[str, str],
        ended: tuple[str, ...] = (),
        over: bool = False,
        when: float | None = None,
        conference: ConferenceSid | None = None,
    ) -> None:
        """What looking showed."""
        here = tuple((CallSid(sid), label) for sid, label in present)
        gone = tuple(CallSid(sid) for sid in ended)
        self.hears(call_news.Looked(conference or self.conference, over, here, gone, self._at(when)))

    def room_ends(self, conference: ConferenceSid | None = None) -> None:
        """The conference is over."""
        self.hears(call_news.RoomEnded(conference or self.conference, self._at(None)))

    def time_passes(self, until: float) -> None:
        """Every look and grace due by then comes due."""
        for _ in range(1000):
            due = room.due_at(self.call)
            if due > at(until):
                break
            self.hears(call_news.Due(max(due, at(self.now))))
        self.now = max(self.now, until)


def a_call_in_the_room(*, assistant: bool = True, severity: Severity = Severity.URGENT) -> Room:
    """A caller who has reported an emergency and waits in the room, with the AI if the line has one."""
    told = Room(assistant=assistant)
    told.reports(0, severity)
    told.caller_waits()
    if assistant:
        told.ai_is_seated()
    return told
