"""Calls as Twilio keeps them: the record of each, what is told about it, and finding them again."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

from sandbox.ids import AccountSid, CallSid
from sandbox.journal import Kind
from sandbox.webhooks import Method, Params, Webhook, Webhooks
from sandbox.world import API_VERSION, World

KEPT_CALLS = 20_000  # some 1.5 KB each with what was heard: 30 MB
KEPT_SOUNDS = 2_000  # a leg

_PLACES = ("City", "State", "Zip", "Country")
_ENDS = ("From", "To", "Caller", "Called")


class CallStatus(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def over(self) -> bool:
        return self in _OVER


_OVER = frozenset(
    {
        CallStatus.COMPLETED,
        CallStatus.BUSY,
        CallStatus.FAILED,
        CallStatus.NO_ANSWER,
        CallStatus.CANCELED,
    }
)


@dataclass(frozen=True)
class Subscription:
    """Where a call's progress is reported, and which of it."""

    url: str
    method: Method = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(eq=False)
class Call:
    """One leg as the REST API shows it. `from_` and `to` are as the request gave them."""

    sid: CallSid
    account: AccountSid
    from_: str
    to: str
    direction: str
    created: datetime
    updated: datetime
    parent: CallSid | None = None
    number_sid: str | None = None
    status: CallStatus = CallStatus.QUEUED
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    answered_by: str | None = None
    queue_ms: int = 0
    sequence: int = 0
    subscriptions: tuple[Subscription, ...] = ()
    extra: Params = ()
    heard: list[str] = field(default_factory=list[str])

    @property
    def duration_s(self) -> int:
        if self.answered is None or self.ended is None:
            return 0
        return round((self.ended - self.answered).total_seconds())

    def hear(self, text: str) -> None:
        if len(self.heard) < KEPT_SOUNDS:
            self.heard.append(text)


def rfc2822(instant: datetime) -> str:
    """Twilio's dates: `Fri, 18 Feb 2011 21:07:19 +0000`."""
    return format_datetime(instant)


def voice_params(call: Call) -> Params:
    """The fields every voice webhook carries."""
    geography = tuple((end + place, "") for end in _ENDS for place in _PLACES)
    return (
        ("CallSid", call.sid),
        ("AccountSid", call.account),
        ("From", call.from_),
        ("To", call.to),
        ("Caller", call.from_),
        ("Called", call.to),
        ("CallStatus", call.status.value),
        ("Direction", call.direction),
        ("ApiVersion", API_VERSION),
        *((("ParentCallSid", call.parent),) if call.parent else ()),
        *geography,
        *call.extra,
    )


class CallBook:
    """All calls of the account, newest last, the oldest finished ones dropped at the bound."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: OrderedDict[CallSid, Call] = OrderedDict()
        self._by_end: defaultdict[str, list[Call]] = defaultdict(list)
        self.live = 0

    def open(
        self,
        from_: str,
        to: str,
        direction: str,
        *,
        status: CallStatus = CallStatus.QUEUED,
        parent: CallSid | None = None,
        number_sid: str | None = None,
        subscriptions: tuple[Subscription, ...] = (),
    ) -> Call:
        now = self._world.clock.now()
        call = Call(
            sid=self._world.sids.call(),
            account=self._world.account.sid,
            from_=from_,
            to=to,
            direction=direction,
            created=now,
            updated=now,
            parent=parent,
            number_sid=number_sid,
            status=status,
            subscriptions=subscriptions,
        )
        self._make_room()
        self._calls[call.sid] = call
        self._by_end[to].append(call)
        if from_ != to:
            self._by_end[from_].append(call)
        self.live += 1
        self._world.journal.write(
            Kind.CALL_CREATED,
            call=call.sid,
            number=to if direction.startswith("outbound") else from_,
            more={"from": from_, "to": to, "direction": direction, "parent": parent},
        )
        return call

    def _make_room(self) -> None:
        if len(self._calls) < KEPT_CALLS:
            return
        oldest = next((call for call in self._calls.values() if call.status.over), None)
        if oldest is not None:
            self.forget(oldest.sid)

    def get(self, sid: str) -> Call | None:
        return self._calls.get(CallSid(sid))

    def forget(self, sid: CallSid) -> None:
        call = self._calls.pop(sid)
        for end in {call.from_, call.to}:
            self._by_end[end].remove(call)
            if not self._by_end[end]:
                del self._by_end[end]

    def newest_first(self, *, to: str | None = None, from_: str | None = None) -> Iterator[Call]:
        """All calls, or those with these ends."""
        end = to if to is not None else from_
        calls = self._calls.values() if end is None else self._by_end.get(end, [])
        return (
            call
            for call in reversed(calls)
            if (to is None or call.to == to) and (from_ is None or call.from_ == from_)
        )


class Progress:
    """Moves a call from state to state, writes it down and tells who asked to be told."""

    def __init__(self, world: World, book: CallBook, webhooks: Webhooks) -> None:
        self._world = world
        self._book = book
        self._webhooks = webhooks

    def dialled(self, call: Call) -> None:
        call.started = self._world.clock.now()
        self._write(Kind.CALL_DIALLED, call, queue_ms=call.queue_ms)
        self._tell(call, "initiated", CallStatus.INITIATED)

    def ringing(self, call: Call) -> None:
        self._move(call, CallStatus.RINGING)
        call.started = call.started or self._world.clock.now()
        self._write(Kind.CALL_RINGING, call)
        self._tell(call, "ringing", CallStatus.RINGING)

    def answered(self, call: Call) -> None:
        self._move(call, CallStatus.IN_PROGRESS)
        call.answered = self._world.clock.now()
        self._write(Kind.CALL_ANSWERED, call)
        self._tell(call, "answered", CallStatus.IN_PROGRESS)

    def ended(self, call: Call, status: CallStatus, sip: int, by: str) -> None:
        """The end, once; later ones are ignored."""
        if call.status.over:
            return
        self._move(call, status)
        call.ended = self._world.clock.now()
        self._book.live -= 1
        self._write(
            Kind.CALL_ENDED,
            call,
            status=status.value,
            sip=sip,
            duration_s=call.duration_s,
            by=by,
        )
        minutes = -(-call.duration_s // 60)
        self._tell(
            call,
            "completed",
            status,
            ("CallDuration", str(call.duration_s)),
            ("Duration", str(minutes)),
            ("SipResponseCode", str(sip)),
        )

    def _move(self, call: Call, status: CallStatus) -> None:
        call.status = status
        call.updated = self._world.clock.now()

    def _write(self, kind: Kind, call: Call, **details: object) -> None:
        phone = call.to if call.direction.startswith("outbound") else call.from_
        self._world.journal.write(kind, call=call.sid, number=phone, more=details)

    def _tell(self, call: Call, event: str, status: CallStatus, *more: tuple[str, str]) -> None:
        for subscription in call.subscriptions:
            if event not in subscription.events:
                continue
            params = dict(voice_params(call)) | {
                "CallStatus": status.value,
                "Timestamp": rfc2822(self._world.clock.now()),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(call.sequence),
                **dict(more),
            }
            call.sequence += 1
            self._webhooks.tell(
                Webhook(
                    purpose=f"call {event}",
                    point=f"call.{event}",
                    url=subscription.url,
                    params=tuple(params.items()),
                    method=subscription.method,
                    thing=call.sid,
                    numbers=(call.from_, call.to),
                )
            )
