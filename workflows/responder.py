"""What a person's phone is doing for us, and what it does next: a shared thing, one call at a time.

Pages of several escalations are merged into the call that is going out; each gets its own drawn keys.
Knows nothing of ladders: whether a page should be rung, and what its end means, is the escalation's business.

States of the one call: none → placing (queued for the account's call rate) → in-doubt? → ringing → answered
→ none.
"""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from workflows.pages import Evidence, Standing
from workflows.values import CallSid, Case, EscalationId, PageId, Responder, RingId

MERGED_AT_MOST = 4  # two keys a page, nine digits
LOOKS = (1.0, 3.0, 8.0, 20.0)  # seconds between look-ups of a call that may or may not have been placed
RING_LOOK_S = 20.0  # how often a call that rings is looked at: nobody may have been there to hear of its end
TALK_LOOK_S = 60.0  # how often a call in progress is looked at, in case its end was never told
PLACINGS_AT_MOST = 2  # a call that four looks did not find was not placed; a second mystery is a failure
SIDS_REMEMBERED = 20


@dataclass(frozen=True)
class Request:
    """A page this person's phone should ring for; conference is where their key press leads.

    kind: "page" asks who takes it; "join" leads somebody who has taken it into the room, ahead of all pages.
    """

    page: PageId
    escalation: EscalationId
    responder: Responder
    case: Case
    code: str
    conference: str | None
    at: datetime
    kind: Literal["page", "join"] = "page"
    ring: int = 1
    ring_s: float = 40.0


@dataclass(frozen=True)
class Item:
    """One page within a call: the keys drawn for it. over: nobody needs to answer it any more."""

    request: Request
    accept: str
    decline: str
    over: bool = False


class RingState(StrEnum):
    """What the one call is doing."""

    PLACING = "placing"
    IN_DOUBT = "submission-unknown"
    RINGING = "ringing"
    ANSWERED = "answered"


@dataclass(frozen=True)
class Ring:
    """The call that is going out, or on.

    since: when this state began, or when the call was last looked at. placings: how often it was sent to the
    provider, placed_at: when last. to, from_: the numbers by which a doubtful call is found. taken_by: who has
    the last page withdrawn from it, for whoever picks up all the same.
    """

    id: RingId
    items: tuple[Item, ...]
    state: RingState
    since: datetime
    sid: CallSid | None = None
    looks: int = 0
    placings: int = 1
    reached: bool = False
    taken_by: str | None = None
    to: str = ""
    from_: str = ""
    placed_at: datetime | None = None


@dataclass(frozen=True)
class Phone:
    """A person's phone as far as we use it. open: pages a text, a key or a call-back may still answer."""

    seed: str
    open: tuple[Request, ...] = ()
    waiting: tuple[Request, ...] = ()
    ring: Ring | None = None
    rings: int = 0
    known_sids: tuple[CallSid, ...] = ()

    @property
    def idle(self) -> bool:
        """Nothing rings and nobody can answer anything: the workflow may end."""
        return not self.open and not self.waiting and self.ring is None


# Events


@dataclass(frozen=True)
class Requested:
    """An escalation asks for this phone to ring."""

    request: Request
    at: datetime


@dataclass(frozen=True)
class Withdrawn:
    """An escalation needs this person no more: taken by somebody, declined, or over."""

    escalation: EscalationId
    owner: str | None
    at: datetime


@dataclass(frozen=True)
class Expired:
    """The rung of this page has expired: its call is not to be dialled any more. A text still answers it."""

    page: PageId
    at: datetime


@dataclass(frozen=True)
class Placed:
    """The provider took the call."""

    ring: RingId
    sid: CallSid
    at: datetime


@dataclass(frozen=True)
class Doubtful:
    """No usable answer came: the call may or may not have been placed."""

    ring: RingId
    at: datetime


@dataclass(frozen=True)
class Refused:
    """The provider will not place this call, ever."""

    ring: RingId
    error: str
    at: datetime


@dataclass(frozen=True)
class Unplaced:
    """The call was withdrawn while still queued: nothing was sent."""

    ring: RingId
    at: datetime


@dataclass(frozen=True)
class LookedFor:
    """What looking for a doubtful call found: its SID, or nothing (yet)."""

    ring: RingId
    sid: CallSid | None
    at: datetime


@dataclass(frozen=True)
class Progressed:
    """The provider says what the call is doing (callback or look-up); status in Twilio's words."""

    ring: RingId
    sid: CallSid
    status: str
    at: datetime


@dataclass(frozen=True)
class Due:
    """A look at the call is due."""

    at: datetime


Event = (
    Requested | Withdrawn | Expired | Placed | Doubtful | Refused | Unplaced | LookedFor | Progressed | Due
)


# Effects


@dataclass(frozen=True)
class Place:
    """Place the call; it may be withdrawn while it is queued."""

    ring: Ring


@dataclass(frozen=True)
class Unplace:
    """Withdraw the call if it is still queued."""

    ring: RingId


@dataclass(frozen=True)
class LookFor:
    """Find out whether the doubtful call exists. ignoring: calls of ours that it cannot be."""

    ring: Ring
    ignoring: tuple[CallSid, ...]


@dataclass(frozen=True)
class LookAt:
    """Ask the provider what this call is doing."""

    ring: RingId
    sid: CallSid


@dataclass(frozen=True)
class HangUp:
    """Stop a call that rings; one already answered is left alone by the provider."""

    sid: CallSid


@dataclass(frozen=True)
class Report:
    """Tell the escalation how far its page has come."""

    request: Request
    evidence: Evidence


Effect = Place | Unplace | LookFor | LookAt | HangUp | Report
Decision = tuple[Phone, tuple[Effect, ...]]

_ENDED = frozenset({"completed", "busy", "no-answer", "canceled", "failed"})


def decide(phone: Phone, event: Event) -> Decision:
    """Return the phone's next state and what must now be done."""
    ring = phone.ring
    match event:
        case Requested(request, at):
            return _requested(phone, request, at)
        case Withdrawn(escalation, owner, at):
            return _withdrawn(phone, escalation, owner, at)
        case Expired(page, at):
            return _expired(phone, page, at)
        case Due(at):
            return _due(phone, at)
        case _ if ring is None or event.ring != ring.id:
            return phone, ()  # news of a call that is over
        case Placed(_, sid, _) if ring.sid not in {None, sid}:
            return phone, (
                HangUp(sid),
            )  # the doubtful first call was found while this second one was dialled
        case Placed(_, sid, at):
            return _placed(phone, ring, sid, at)
        case LookedFor(_, sid, at):
            return _placed(phone, ring, sid, at) if sid is not None else _not_found(phone, ring, at)
        case Doubtful() | Refused() | Unplaced() if ring.state is not RingState.PLACING:
            return phone, ()  # a callback was faster: the call is there
        case Doubtful(_, at):
            doubtful = replace(ring, state=RingState.IN_DOUBT, since=at)
            return replace(phone, ring=doubtful), _reports(ring, Evidence(Standing.UNKNOWN, at=at))
        case Refused(_, error, at):
            return _end(phone, ring, Evidence(Standing.FAILED, at=at, error=error), at)
        case Unplaced(_, at):
            return _end(phone, ring, Evidence(Standing.WITHDRAWN, at=at), at)
        case Progressed(_, sid, status, at):
            return _progressed(phone, ring, sid, status, at)


def due_at(phone: Phone) -> datetime | None:
    """When to look at the call next; None while the provider's queue, or nobody, has it."""
    ring = phone.ring
    if ring is None or ring.state is RingState.PLACING:
        return None
    if ring.state is RingState.IN_DOUBT:
        return ring.since + timedelta(seconds=LOOKS[min(ring.looks, len(LOOKS) - 1)])
    if ring.state is RingState.ANSWERED:
        return ring.since + timedelta(seconds=TALK_LOOK_S)
    return ring.since + timedelta(seconds=RING_LOOK_S)


def _requested(phone: Phone, request: Request, at: datetime) -> Decision:
    known = next((r for r in phone.open if r.page == request.page), None)
    if known is not None and known.ring >= request.ring:
        return phone, ()  # a repeat
    others = tuple(r for r in phone.open if r.page != request.page)
    phone = replace(phone, open=(*others, request))
    if request.responder.phone is None:
        return phone, ()  # no phone to ring: only their text can answer
    ring = phone.ring
    if ring is None:
        return _start(phone, (request,), at)
    if not ring.items and ring.state in {RingState.PLACING, RingState.RINGING}:
        return _waiting(phone, request), ()  # that call is being withdrawn: the next one is for this page
    if request.kind == "join" and ring.state is RingState.PLACING:
        waiting = _waiting(phone, *(item.request for item in ring.items), request)
        return replace(waiting, ring=replace(ring, items=())), (Unplace(ring.id),)
    kept = tuple(item for item in ring.items if item.request.escalation != request.escalation)
    if ring.state is RingState.ANSWERED or len(kept) >= MERGED_AT_MOST:
        held = Report(request, Evidence(Standing.HELD, ring.sid, at))
        return _waiting(phone, request), (held,)
    item = _item(phone, ring.id, request, kept)
    merged = replace(ring, items=(*kept, item))
    return replace(phone, ring=merged), _standing_of(merged, (item,), at)


def _waiting(phone: Phone, *requests: Request) -> Phone:
    """These wait for the next call; an escalation needs a person once, for its latest page."""
    waiting = phone.waiting
    for request in requests:
        waiting = (*(r for r in waiting if r.escalation != request.escalation), request)
    return replace(phone, waiting=waiting)


def _withdrawn(phone: Phone, escalation: EscalationId, owner: str | None, at: datetime) -> Decision:
    phone = replace(
        phone,
        open=tuple(r for r in phone.open if r.escalation != escalation),
        waiting=tuple(r for r in phone.waiting if r.escalation != escalation),
    )
    ring = phone.ring
    if ring is None:
        return phone, ()
    if (
        ring.state is RingState.ANSWERED
    ):  # never cut off: told at their next key, or before it is read out again
        items = tuple(
            replace(item, over=True) if item.request.escalation == escalation else item for item in ring.items
        )
        return replace(phone, ring=replace(ring, items=items, taken_by=owner or ring.taken_by)), ()
    gone = tuple(item for item in ring.items if item.request.escalation == escalation)
    if not gone:
        return phone, ()
    kept = tuple(item for item in ring.items if item not in gone)
    phone = replace(phone, ring=replace(ring, items=kept, taken_by=owner))
    reports = tuple(Report(item.request, Evidence(Standing.WITHDRAWN, ring.sid, at)) for item in gone)
    if kept:
        return phone, reports
    if ring.state is RingState.PLACING:
        return phone, (*reports, Unplace(ring.id))
    return phone, (*reports, HangUp(ring.sid)) if ring.sid else reports


def _expired(phone: Phone, page: PageId, at: datetime) -> Decision:
    gone = [request for request in phone.waiting if request.page == page]
    phone = replace(phone, waiting=tuple(request for request in phone.waiting if request.page != page))
    ring = phone.ring
    if ring is not None and ring.state is RingState.PLACING:
        gone += [item.request for item in ring.items if item.request.page == page]
        kept = tuple(item for item in ring.items if item.request.page != page)
        phone = replace(phone, ring=replace(ring, items=kept))
    reports = tuple(Report(request, Evidence(Standing.WITHDRAWN, at=at)) for request in gone)
    undialled = ring is not None and phone.ring is not None and ring.items and not phone.ring.items
    return phone, (*reports, Unplace(ring.id)) if undialled and ring is not None else reports


def _start(phone: Phone, requests: tuple[Request, ...], at: datetime) -> Decision:
    """Place one call for these pages, ways into a room first."""
    now, later = _foremost(requests)
    ring_id = RingId(f"{phone.rings + 1}-{now[0].page}")
    items = _items(phone, ring_id, now)
    to, from_ = now[0].responder.phone or "", now[0].case.line.calls_from
    ring = Ring(ring_id, items, RingState.PLACING, at, to=to, from_=from_, placed_at=at)
    return replace(phone, ring=ring, rings=phone.rings + 1, waiting=later), (Place(ring),)


def _foremost(requests: tuple[Request, ...]) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
    """The pages that fit into one call, ways into a room first, and those that do not."""
    first = tuple(sorted(requests, key=lambda r: (r.kind != "join", r.case.severity.rank)))
    return first[:MERGED_AT_MOST], first[MERGED_AT_MOST:]


def _end(phone: Phone, ring: Ring, evidence: Evidence, at: datetime) -> Decision:
    """The call is over; whoever waited for this phone is rung now."""
    reports = _reports(ring, evidence)
    phone = replace(phone, ring=None)
    if not phone.waiting:
        return phone, reports
    phone, effects = _start(phone, phone.waiting, at)
    return phone, (*reports, *effects)


def _placed(phone: Phone, ring: Ring, sid: CallSid, at: datetime) -> Decision:
    if ring.state not in {RingState.PLACING, RingState.IN_DOUBT}:
        return phone, ()  # a callback was faster
    if not ring.items and phone.waiting:  # a way into the room asked for this phone just as it was dialled
        now, later = _foremost(phone.waiting)
        ring = replace(ring, items=_items(phone, ring.id, now))
        phone = replace(phone, waiting=later)
    ring = replace(ring, state=RingState.RINGING, sid=sid, since=at)
    known = (*phone.known_sids, sid)[-SIDS_REMEMBERED:]
    phone = replace(phone, ring=ring, known_sids=known)
    if not ring.items:  # withdrawn while it was being placed
        return phone, (HangUp(sid),)
    return phone, _reports(ring, Evidence(Standing.SUBMITTED, sid, at))


def _not_found(phone: Phone, ring: Ring, at: datetime) -> Decision:
    if ring.state is not RingState.IN_DOUBT:
        return phone, ()
    if ring.looks + 1 < len(LOOKS):
        return replace(phone, ring=replace(ring, looks=ring.looks + 1, since=at)), ()
    if ring.items and ring.placings < PLACINGS_AT_MOST:
        again = replace(
            ring, state=RingState.PLACING, since=at, placed_at=at, looks=0, placings=ring.placings + 1
        )
        return replace(phone, ring=again), (Place(again),)
    error = "no answer from the provider, and no such call found"
    return _end(phone, ring, Evidence(Standing.FAILED, at=at, error=error), at)


def _progressed(phone: Phone, ring: Ring, sid: CallSid, status: str, at: datetime) -> Decision:
    if ring.sid is not None and ring.sid != sid:
        return phone, (HangUp(sid),)  # a doubtful call was placed after all, and then once more
    phone, effects = _placed(phone, ring, sid, at)
    ring = phone.ring or ring
    if status in _ENDED:
        standing = Standing.FAILED if status == "failed" else Standing.UNANSWERED
        phone, ended = _end(phone, ring, Evidence(standing, sid, at, error=status), at)
        return phone, (*effects, *ended)
    if status == "in-progress" and ring.state is not RingState.ANSWERED:
        ring = replace(ring, state=RingState.ANSWERED, since=at)
        held = tuple(Report(request, Evidence(Standing.HELD, sid, at)) for request in phone.waiting)
        answered = _reports(ring, Evidence(Standing.ANSWERED, sid, at))
        return replace(phone, ring=ring), (*effects, *answered, *held)
    if status == "ringing" and ring.state is RingState.RINGING and not ring.reached:
        ring = replace(ring, reached=True)
        return replace(phone, ring=ring), (*effects, *_reports(ring, Evidence(Standing.REACHED, sid, at)))
    return phone, effects


def _due(phone: Phone, at: datetime) -> Decision:
    ring, due = phone.ring, due_at(phone)
    if ring is None or due is None or due > at:
        return phone, ()
    if ring.state is RingState.IN_DOUBT:
        return replace(phone, ring=replace(ring, since=at)), (LookFor(ring, phone.known_sids),)
    looked = replace(phone, ring=replace(ring, since=at))
    return looked, (LookAt(ring.id, ring.sid),) if ring.sid else ()


def _items(phone: Phone, ring_id: RingId, requests: tuple[Request, ...]) -> tuple[Item, ...]:
    items: tuple[Item, ...] = ()
    for request in requests:
        items = (*items, _item(phone, ring_id, request, items))
    return items


def _item(phone: Phone, ring_id: RingId, request: Request, taken: tuple[Item, ...]) -> Item:
    """Draw two digits that no other page of this call uses: a greeting's stray tone must not accept."""
    used = {key for item in taken for key in (item.accept, item.decline)}
    free = [digit for digit in "123456789" if digit not in used]
    drawn = random.Random(f"{phone.seed}/{ring_id}/{request.page}").sample(free, 2)  # noqa: S311
    return Item(request, accept=drawn[0], decline=drawn[1])


def _standing_of(ring: Ring, items: tuple[Item, ...], at: datetime) -> tuple[Effect, ...]:
    """What pages merged into a call under way must know of it."""
    match ring.state:
        case RingState.PLACING | RingState.ANSWERED:
            return ()
        case RingState.IN_DOUBT:
            standing = Standing.UNKNOWN
        case RingState.RINGING:
            standing = Standing.REACHED if ring.reached else Standing.SUBMITTED
    return tuple(Report(item.request, Evidence(standing, ring.sid, at)) for item in items)


def _reports(ring: Ring, evidence: Evidence) -> tuple[Effect, ...]:
    return tuple(Report(item.request, evidence) for item in ring.items)
