"""Words for telling a night in tests of the pure core: people, instants, a ladder and what the phones did.

A `Night` holds one escalation and what was ordered so far; each method is one thing that happened.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from workflows import ladder as lad
from workflows.ladder import Caller, Effect, Escalation, Event, TimerKind
from workflows.pages import Evidence, Page, Standing
from workflows.values import (
    Act,
    ActId,
    ActKind,
    ActReply,
    CallSid,
    Case,
    Channel,
    EscalationId,
    Ladder,
    Line,
    LineId,
    PersonId,
    Responder,
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
            together += self.hears(lad.TimerFired(max(timer.at, at(self.now))))
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
        return [order.page.responder.name for order in self.orders(lad.RingPage)]

    @property
    def told_now(self) -> list[str]:
        """The kinds of facts the last event had told to the caller."""
        return [order.fact.kind for order in self.orders(lad.TellCaller)]

    @property
    def withdrawn_now(self) -> set[str]:
        """Who need not answer any more since the last event."""
        return {who for order in self.orders(lad.Withdraw) for who in order.people}

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
    ) -> tuple[Effect, ...]:
        """One channel of this person's latest page (or the given one) came so far."""
        page = page or self.page_of(who)
        ring = page.rings if ring is None else ring
        return self.hears(
            lad.PageMoved(page.id, channel, Evidence(standing, "SM1", at(when)), at(when), ring)
        )

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
        reply = self._decided(lad.Acted(act, at(when)))[1]
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

    def joins(self, who: Responder, when: float, leg: str | None = None) -> tuple[Effect, ...]:
        """Their leg is in the room."""
        return self.hears(lad.ResponderJoined(who.id, CallSid(leg or f"CA{who.id}"), at(when)))

    def leaves(self, who: Responder, when: float, leg: str | None = None) -> tuple[Effect, ...]:
        """Their leg has left the room."""
        return self.hears(lad.ResponderLeft(who.id, CallSid(leg or f"CA{who.id}"), at(when)))

    def caller_hangs_up(self, when: float, caller: Caller = CALLER) -> tuple[Effect, ...]:
        """The caller is off the line."""
        return self.hears(lad.CallerGone(caller.call, at(when)))

    def caller_rings(self, when: float, caller: Caller = CALLER) -> tuple[Effect, ...]:
        """A call is attached."""
        return self.hears(lad.CallerAttached(caller.call, caller.conference, at(when)))


_acts = iter(range(1_000_000))


def an_act(who: Responder, kind: ActKind, via: Via = Via.CONSOLE, leg: str | None = None) -> Act:
    """Something this person did, with an id of its own. A key is pressed on a leg."""
    sid = CallSid(leg or f"CA{who.id}") if via is Via.KEY else None
    return Act(kind, ActId(f"act-{next(_acts)}"), who.id, via, leg=sid)
