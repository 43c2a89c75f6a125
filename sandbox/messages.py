"""Messages: sent through carriers that may refuse or lose them, and received.

An outbound message is queued, sending, sent, then delivered or undelivered; it fails without
being sent when its validity is over before its turn comes.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox import twiml
from sandbox.clock import sleep
from sandbox.directory import Directory, Number
from sandbox.errors import Refused, Unknown
from sandbox.faults import FaultKind
from sandbox.http import Reply
from sandbox.ids import AccountSid, MessageSid
from sandbox.journal import Kind
from sandbox.phones import Delivers, Loses, Refuses, TextBehaviour, Undeliverable
from sandbox.rate import CallRate
from sandbox.webhooks import Failed, Method, Params, Webhook, Webhooks
from sandbox.world import API_VERSION, World

KEPT_MESSAGES = 20_000  # some 1 KB each
DEFAULT_VALIDITY_S = 36_000
GSM_SINGLE, GSM_PART, UCS_SINGLE, UCS_PART = 160, 153, 70, 67

# What carriers take for opting out and in again; matched alone, whatever the case.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

_ERRORS = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Carrier violation",
    30008: "Unknown error",
    30036: "Validity period expired",
}


class MessageStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    RECEIVED = "received"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in {MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.SENT}


@dataclass(eq=False)
class Message:
    """One message as the REST API shows it."""

    sid: MessageSid
    account: AccountSid
    from_: str
    to: str
    body: str
    direction: str
    status: MessageStatus
    created: datetime
    updated: datetime
    sent: datetime | None = None
    error_code: int | None = None
    callback: str = ""
    validity_s: int = DEFAULT_VALIDITY_S

    @property
    def error_message(self) -> str | None:
        return None if self.error_code is None else _ERRORS.get(self.error_code, "Unknown error")


def segments(body: str) -> int:
    """How many parts a text is sent in: GSM-7 if it is plain, UCS-2 otherwise."""
    plain = all(character.isascii() for character in body)
    single, part = (GSM_SINGLE, GSM_PART) if plain else (UCS_SINGLE, UCS_PART)
    return 1 if len(body) <= single else -(-len(body) // part)


class Post:
    """All messages of the account, and their way to and from the phones."""

    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        directory: Directory,
        segments_per_second: float,
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._directory = directory
        self._messages: OrderedDict[MessageSid, Message] = OrderedDict()
        self._rates: dict[str, CallRate] = {}
        self._opted_out: set[tuple[str, str]] = set()
        self.segments_per_second = segments_per_second

    def get(self, sid: str) -> Message | None:
        return self._messages.get(MessageSid(sid))

    def newest_first(self) -> Iterable[Message]:
        return reversed(self._messages.values())

    def forget(self, sid: MessageSid) -> None:
        del self._messages[sid]

    # ── sending ───────────────────────────────────────────────────────────────────

    def send(
        self,
        from_: str,
        to: str,
        body: str,
        *,
        callback: str = "",
        validity_s: int = DEFAULT_VALIDITY_S,
        direction: str = "outbound-api",
    ) -> Message:
        """Queue a message. Raises Refused where Twilio refuses at once."""
        if (from_, to) in self._opted_out:
            raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
        phone = self._directory.phone_at(to)
        if phone is not None and (code := phone.refusal_of_text()) is not None:
            raise Refused(400, code, f"The message to {to} was refused")
        message = self._open(from_, to, body, direction, MessageStatus.QUEUED)
        message.callback = callback
        message.validity_s = validity_s
        self._tell(message)
        self._world.clock.work.spawn(self._carry(message), name=f"message {message.sid}")
        return message

    def _open(self, from_: str, to: str, body: str, direction: str, status: MessageStatus) -> Message:
        now = self._world.clock.now()
        sid = self._world.sids.message()
        message = Message(sid, self._world.account.sid, from_, to, body, direction, status, now, now)
        self._messages[sid] = message
        if len(self._messages) > KEPT_MESSAGES:
            self._messages.popitem(last=False)
        kind = Kind.MESSAGE_RECEIVED if direction == "inbound" else Kind.MESSAGE_CREATED
        self._world.journal.write(
            kind,
            message=sid,
            number=from_ if direction == "inbound" else to,
            more={"from": from_, "to": to, "body": body, "status": status.value},
        )
        return message

    async def _carry(self, message: Message) -> None:
        clock = self._world.clock
        rate = self._rates.setdefault(message.from_, CallRate(self.segments_per_second))
        waits = [rate.take_turn(clock.now()) for _ in range(segments(message.body))]
        validity = timedelta(seconds=message.validity_s)
        await sleep(clock, min(waits[0], validity))
        if message.status is MessageStatus.CANCELED:
            return
        if waits[0] > validity:
            self._move(message, MessageStatus.FAILED, 30036)
            return
        self._move(message, MessageStatus.SENDING)
        await sleep(clock, timedelta(seconds=self._world.assumptions.sms_send_s))
        message.sent = clock.now()
        self._move(message, MessageStatus.SENT)
        await self._hand_over(message, self._behaviour(message))

    def _behaviour(self, message: Message) -> TextBehaviour:
        struck = self._world.faults.strike(FaultKind.CARRIER_ERROR, "message", message.from_, message.to)
        if struck is not None:
            self._world.journal.write(
                Kind.FAULT, message=message.sid, kind_of_fault="carrier_error", on="message"
            )
            return Undeliverable(struck.code or 30003)
        phone = self._directory.phone_at(message.to)
        return phone.take_text() if phone is not None else Undeliverable(30005)

    async def _hand_over(self, message: Message, behaviour: TextBehaviour) -> None:
        clock = self._world.clock
        match behaviour:
            case Delivers(after_s=after_s):
                await sleep(clock, timedelta(seconds=after_s))
                self._move(message, MessageStatus.DELIVERED)
                await self._reply(message, behaviour)
            case Undeliverable(code=code, after_s=after_s):
                await sleep(clock, timedelta(seconds=after_s))
                self._move(message, MessageStatus.UNDELIVERED, code)
            case Loses() | Refuses():
                pass

    async def _reply(self, message: Message, behaviour: Delivers) -> None:
        text = behaviour.reply
        if behaviour.reply_heard is not None:
            found = re.search(behaviour.reply_heard, message.body, re.IGNORECASE)
            if found is not None:
                text = found.group(1) if found.re.groups else found.group(0)
        if text is None:
            return
        await sleep(self._world.clock, timedelta(seconds=behaviour.reply_after_s))
        self.receive(message.to, message.from_, text)

    def _move(self, message: Message, status: MessageStatus, error: int | None = None) -> None:
        message.status = status
        message.error_code = error
        message.updated = self._world.clock.now()
        self._world.journal.write(
            Kind.MESSAGE_STATUS,
            message=message.sid,
            number=message.to,
            status=status.value,
            error_code=error,
            more={"from": message.from_, "to": message.to},
        )
        self._tell(message)

    def _tell(self, message: Message) -> None:
        status = message.status.value
        if not message.callback or status not in self._world.assumptions.message_callback_statuses:
            return
        params: list[tuple[str, str]] = [
            ("AccountSid", message.account),
            ("From", message.from_),
            ("To", message.to),
            ("MessageSid", message.sid),
            ("MessageStatus", status),
            ("SmsSid", message.sid),
            ("SmsStatus", status),
            ("ApiVersion", API_VERSION),
        ]
        if message.error_code is not None:
            params.append(("ErrorCode", str(message.error_code)))
        if message.status in {MessageStatus.DELIVERED, MessageStatus.UNDELIVERED}:
            params.append(("RawDlrDoneDate", message.updated.strftime("%y%m%d%H%M")))
        self._webhooks.tell(
            Webhook(
                purpose=f"message {status}",
                point=f"message.{status}",
                url=message.callback,
                params=tuple(params),
                thing=message.sid,
                numbers=(message.from_, message.to),
            )
        )

    def cancel(self, message: Message) -> bool:
        """Withdraw it before it is sent; false when it is too late."""
        if message.status is not MessageStatus.QUEUED:
            return False
        self._move(message, MessageStatus.CANCELED)
        return True

    # ── receiving ─────────────────────────────────────────────────────────────────

    def receive(self, from_: str, to: str, body: str) -> Message:
        """A phone sends a message to one of our numbers. Raises Unknown for any other."""
        number = self._directory.numbers.get(to)
        if number is None:
            text = f"{to} is no number of this account"
            raise Unknown(text)
        message = self._open(from_, to, body, "inbound", MessageStatus.RECEIVED)
        opt_out = self._opt_out(message)
        self._world.clock.work.spawn(self._ask(message, number, opt_out), name=f"message {message.sid}")
        return message

    def _opt_out(self, message: Message) -> Params:
        """Handle the words carriers listen for."""
        word = message.body.strip().upper()
        pair = (message.to, message.from_)
        if word in STOP_WORDS:
            self._opted_out.add(pair)
            kind = "STOP"
        elif word in START_WORDS:
            was_out = pair in self._opted_out
            self._opted_out.discard(pair)
            if not was_out:
                return ()
            kind = "START"
        elif word in HELP_WORDS:
            kind = "HELP"
        else:
            return ()
        return (("OptOutType", kind),) if self._world.assumptions.advanced_opt_out else ()

    async def _ask(self, message: Message, number: Number, opt_out: Params) -> None:
        hooks = self._directory.sms_hooks(number)
        params = (*_message_params(message), *opt_out)
        document = await self._fetch(message, hooks.sms_url, hooks.sms_method, params)
        if isinstance(document, Failed) and hooks.sms_fallback_url:
            error = (("ErrorCode", str(document.code)), ("ErrorUrl", hooks.sms_url))
            document = await self._fetch(
                message, hooks.sms_fallback_url, hooks.sms_fallback_method, (*params, *error)
            )
        if isinstance(document, twiml.Document):
            self._answer(message, document)

    async def _fetch(
        self, message: Message, url: str, method: Method, params: Params
    ) -> twiml.Document | Failed | None:
        if not url:
            return None
        numbers = (message.from_, message.to)
        webhook = Webhook("sms", "sms", url, params, method, message.sid, numbers)
        reply = await self._webhooks.ask(webhook)
        match reply:
            case Failed(code=code, reason=reason):
                self._world.alert(code, reason, url=url)
                return reply
            case Reply(text=text) if not text.strip():
                return None
            case Reply(text=text, content_type="text/plain"):
                return twiml.Document((twiml.Message(text.strip()),))
            case Reply(text=text):
                return self._parse(text, url)

    def _parse(self, text: str, url: str) -> twiml.Document | Failed:
        try:
            document = twiml.parse(text)
        except twiml.TwimlError as error:
            self._world.alert(error.code, str(error), url=url)
            return Failed(error.code, str(error))
        for warning in document.warnings:
            self._world.alert(12200, warning, url=url)
        return document

    def _answer(self, message: Message, document: twiml.Document) -> None:
        for verb in document.verbs:
            if not isinstance(verb, twiml.Message):
                self._world.alert(12200, f"<{type(verb).__name__}> cannot answer a message")
                continue
            to = verb.to or message.from_
            try:
                self.send(
                    verb.from_ or message.to,
                    to,
                    verb.text,
                    callback=verb.callback.url,
                    direction="outbound-reply",
                )
            except Refused as refused:
                self._world.alert(refused.code, refused.message)


def _message_params(message: Message) -> Params:
    geography = tuple(
        (end + place, "") for end in ("From", "To") for place in ("City", "State", "Zip", "Country")
    )
    return (
        ("MessageSid", message.sid),
        ("SmsSid", message.sid),
        ("SmsMessageSid", message.sid),
        ("AccountSid", message.account),
        ("From", message.from_),
        ("To", message.to),
        ("Body", message.body),
        ("NumMedia", "0"),
        ("NumSegments", str(segments(message.body))),
        ("SmsStatus", "received"),
        ("ApiVersion", API_VERSION),
        *geography,
    )
