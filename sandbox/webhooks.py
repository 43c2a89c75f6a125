"""Requests to the product: signed, patient for 15 seconds, retried, delivered in order.

`ask` waits for a document; `tell` reports an event and does not wait. A request that has
gone out is finished even if the call that caused it has ended meanwhile, as on the real
network.
"""

import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Literal
from urllib.parse import quote_plus, urljoin

from sandbox.clock import Promise, sleep
from sandbox.connection import Failure, Overrides, overrides
from sandbox.faults import FaultKind
from sandbox.http import ConnectFailed, Http, Patience, Reply, ReplyFailed
from sandbox.journal import Kind
from sandbox.signature import SIGNATURE_HEADER, sign, without_fragment
from sandbox.world import World

Params = tuple[tuple[str, str], ...]
Method = Literal["GET", "POST"]

IDEMPOTENCY_HEADER = "I-Twilio-Idempotency-Token"
USER_AGENT = "TwilioProxy/1.1 (sandbox)"
MOST_REDIRECTS = 10
# A reordered callback goes out after the next one; this long after it should have, if none comes.
REORDER_PATIENCE = timedelta(seconds=5)
LONGEST_OUTBOX = 10_000


@dataclass(frozen=True)
class Webhook:
    """One request to make. `point` is its name for faults, `thing` the SID it is about."""

    purpose: str
    point: str
    url: str
    params: Params
    method: Method = "POST"
    thing: str = ""
    numbers: tuple[str, ...] = ()
    unsigned: Params = ()


@dataclass(frozen=True)
class Failed:
    """No usable reply: Twilio's error code and what to write into the journal."""

    code: int
    reason: str


class Webhooks:
    """Everything that leaves the sandbox by HTTP."""

    def __init__(self, world: World, http: Http) -> None:
        self._world = world
        self._http = http
        self._outboxes: dict[str, deque[Webhook]] = {}
        self._held_back: dict[str, Webhook] = {}

    async def ask(self, webhook: Webhook) -> Reply | Failed:
        """Send it and give the reply; only a 2xx is a Reply."""
        clock = self._world.clock
        answer: Promise[Reply | Failed] = Promise(clock.work)

        async def fetch() -> None:
            answer.keep(await self._deliver(webhook))

        clock.work.spawn(fetch(), name=f"webhook {webhook.purpose}")
        return await answer.wait()

    def tell(self, webhook: Webhook) -> None:
        """Send it after all earlier ones about the same thing. Faults may change that."""
        if not webhook.url:
            return
        faults = self._world.faults
        if self._strikes(FaultKind.CALLBACK_LOST, webhook):
            return
        delay_s = self._world.assumptions.callback_delay_s
        delayed = faults.strike(FaultKind.CALLBACK_DELAYED, webhook.point, *webhook.numbers)
        if delayed is not None:
            self._note(FaultKind.CALLBACK_DELAYED, webhook)
            delay_s += delayed.seconds
        copies = 2 if self._strikes(FaultKind.CALLBACK_DOUBLED, webhook) else 1
        for _ in range(copies):
            if delay_s > 0:
                self._world.clock.work.spawn(self._later(webhook, delay_s), name="late callback")
            else:
                self._put(webhook)

    async def _later(self, webhook: Webhook, delay_s: float) -> None:
        await sleep(self._world.clock, timedelta(seconds=delay_s))
        self._put(webhook)

    def _put(self, webhook: Webhook) -> None:
        thing = webhook.thing
        if thing not in self._held_back and self._strikes(FaultKind.CALLBACK_REORDERED, webhook):
            self._held_back[thing] = webhook
            self._world.clock.work.spawn(self._release(webhook), name="reordered callback")
            return
        self._enqueue(webhook)
        if (late := self._held_back.pop(thing, None)) is not None:
            self._enqueue(late)

    async def _release(self, webhook: Webhook) -> None:
        await sleep(self._world.clock, REORDER_PATIENCE)
        if self._held_back.get(webhook.thing) is webhook:
            del self._held_back[webhook.thing]
            self._enqueue(webhook)

    def _enqueue(self, webhook: Webhook) -> None:
        outbox = self._outboxes.get(webhook.thing)
        if outbox is None:
            outbox = self._outboxes[webhook.thing] = deque(maxlen=LONGEST_OUTBOX)
            self._world.clock.work.spawn(self._empty(webhook.thing, outbox), name="outbox")
        outbox.append(webhook)

    async def _empty(self, thing: str, outbox: deque[Webhook]) -> None:
        try:
            while outbox:
                webhook = outbox.popleft()
                reply = await self._deliver(webhook)
                if isinstance(reply, Failed):
                    self._world.alert(15003, reply.reason, url=webhook.url)
        finally:
            del self._outboxes[thing]

    async def _deliver(self, webhook: Webhook) -> Reply | Failed:
        """All attempts, redirects included."""
        for _ in range(MOST_REDIRECTS + 1):
            reply = await self._attempts(webhook)
            if isinstance(reply, Failed) or reply.status not in {301, 302, 303, 307, 308}:
                return reply
            # A redirected POST becomes a GET and loses its fields.
            webhook = replace(
                webhook, url=urljoin(webhook.url, reply.location or ""), method="GET", params=()
            )
        return Failed(11215, f"more than {MOST_REDIRECTS} redirects")

    async def _attempts(self, webhook: Webhook) -> Reply | Failed:
        patience = overrides(webhook.url)
        token = self._world.sids.token()
        deadline = time.monotonic() + patience.total_ms / 1000
        attempt = 1
        while True:
            reply = await self._attempt(webhook, patience, token, attempt, deadline)
            failure = _failure(reply)
            spent = attempt > patience.retries or time.monotonic() >= deadline
            if failure is None or spent or not patience.retries_after(failure):
                return _verdict(reply)
            attempt += 1

    async def _attempt(
        self, webhook: Webhook, limits: Overrides, token: str, attempt: int, deadline: float
    ) -> Reply | ConnectFailed | ReplyFailed:
        began = time.monotonic()
        left_s = max(0.1, deadline - began)
        patience = Patience(limits.connect_ms / 1000, limits.read_ms / 1000, left_s)
        url, body = _form(webhook)
        headers = self._headers(webhook, url)
        if attempt > 1:
            headers[IDEMPOTENCY_HEADER] = token
        result: Reply | ConnectFailed | ReplyFailed
        try:
            if self._strikes(FaultKind.WEBHOOK_REFUSED, webhook):
                result = ConnectFailed("connection refused by a fault")
            else:
                result = await self._http.send(webhook.method, url, headers, body, patience)
        except (ConnectFailed, ReplyFailed) as error:
            result = error
        self._world.journal.write(
            Kind.WEBHOOK,
            call=webhook.thing if webhook.thing.startswith("CA") else None,
            conference=webhook.thing if webhook.thing.startswith("CF") else None,
            message=webhook.thing if webhook.thing.startswith("SM") else None,
            purpose=webhook.purpose,
            method=webhook.method,
            url=webhook.url,
            params={name: value for name, value in webhook.params if value},
            status=result.status if isinstance(result, Reply) else None,
            error=None if isinstance(result, Reply) else str(result),
            attempt=attempt,
            ms=round((time.monotonic() - began) * 1000, 1),
        )
        return result

    def _headers(self, webhook: Webhook, url: str) -> dict[str, str]:
        signed = webhook.params if webhook.method == "POST" else ()
        headers = {
            SIGNATURE_HEADER: sign(self._world.account.token, url, signed),
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
        }
        if webhook.method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        return headers

    def _strikes(self, kind: FaultKind, webhook: Webhook) -> bool:
        if self._world.faults.strike(kind, webhook.point, *webhook.numbers) is None:
            return False
        self._note(kind, webhook)
        return True

    def _note(self, kind: FaultKind, webhook: Webhook) -> None:
        self._world.journal.write(
            Kind.FAULT,
            call=webhook.thing if webhook.thing.startswith("CA") else None,
            kind_of_fault=kind.value,
            on=webhook.point,
            thing=webhook.thing,
        )


@lru_cache(maxsize=8_192)
def _quoted(text: str) -> str:
    """Most names and values come again and again: a tenth of a storm's work is this."""
    return quote_plus(text)


def _form(webhook: Webhook) -> tuple[str, bytes | None]:
    """The URL to request and the body to send."""
    url = without_fragment(webhook.url)
    fields = "&".join(
        f"{_quoted(name)}={_quoted(value)}" for name, value in webhook.params + webhook.unsigned
    )
    if webhook.method == "POST":
        return url, fields.encode()
    if not fields:
        return url, None
    return f"{url}{'&' if '?' in url else '?'}{fields}", None


def _failure(result: Reply | ConnectFailed | ReplyFailed) -> Failure | None:
    match result:
        case ConnectFailed():
            return "ct"
        case ReplyFailed():
            return "rt"
        case Reply(status=status) if status >= 500:
            return "5xx"
        case Reply(status=status) if status >= 400:
            return "4xx"
        case Reply():
            return None


def _verdict(result: Reply | ConnectFailed | ReplyFailed) -> Reply | Failed:
    match result:
        case ConnectFailed():
            return Failed(11205, f"HTTP connection failure: {result}")
        case ReplyFailed():
            return Failed(11200, f"HTTP retrieval failure: {result}")
        case Reply(status=status) if status >= 400:
            return Failed(11200, f"HTTP retrieval failure: status {status}")
        case Reply():
            return result
