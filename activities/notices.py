"""Words that reach people beside the telephone: pushes to responders, alerts to operators, messages left."""

import asyncio

import structlog
from temporalio import activity

from activities.addresses import Addresses
from activities.errors import UNAVAILABLE, passing
from activities.push import Pushes
from activities.submission import Now, utc_now
from activities.texts import Texts, words_for
from configuration.holder import ConfigurationFile
from configuration.model import Person
from workflows.orders import (
    ALERT_OPERATOR,
    DELIVER_MESSAGE,
    PUSH,
    AlertOperator,
    DeliverMessage,
    Done,
    Push,
    Submission,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Notices:
    """Tells people by push, and by SMS those who have no push."""

    def __init__(
        self,
        pushes: Pushes,
        texts: Texts,
        addresses: Addresses,
        configuration: ConfigurationFile,
        now: Now = utc_now,
    ) -> None:
        self._pushes = pushes
        self._texts = texts
        self._addresses = addresses
        self._configuration = configuration
        self._now = now

    @activity.defn(name=PUSH.name)
    async def push(self, order: Push) -> Submission:
        """Push a page to a responder, to all their URLs at once; one that takes it is enough.

        Not idempotent, and bearable: a repeat happens only when no server is known to have taken it.
        """
        words = words_for(order, self._addresses)
        pushed = await self._pushes.send(order.to.push, order.case.line.name, words)
        if pushed.taken:
            log.info("push placed", kind=order.kind, page=order.page, person=order.to.id)
            return Submission("placed", self._now())
        if pushed.failed:
            raise passing(f"no push server of {order.to.id} took it", UNAVAILABLE)
        return Submission("refused", self._now(), error="no push URL that can be used")

    @activity.defn(name=ALERT_OPERATOR.name)
    async def alert_operator(self, order: AlertOperator) -> Done:
        """Tell whoever runs the system. A repeat tells them again, which is bearable."""
        case = order.case
        log.error("operator alert", reason=order.reason, line=case.line.id, category=case.category)
        configuration = self._configuration.current()
        people = [configuration.people[name] for name in configuration.alerts.people]
        words = f"{case.line.name}: {case.category} ({case.severity}): {order.reason}"
        told = await self._tell(
            people, (*configuration.alerts.push,), "Rung needs you to look", words, case.line.number
        )
        if told == 0 and (people or configuration.alerts.push):
            raise passing("no operator could be told", UNAVAILABLE)
        return Done()

    @activity.defn(name=DELIVER_MESSAGE.name)
    async def deliver_message(self, order: DeliverMessage) -> Done:
        """Tell whoever takes a line's messages that one was left: where the recording is, or what was taken down.

        Repeated only when nobody could be told, so that a repeat does no harm.
        """
        configuration = self._configuration.current()
        line = configuration.lines.get(order.line)
        if line is None or not line.messages_to:
            log.warning("message without a taker", line=order.line, call=order.call)
            return Done()
        recording = order.recording.rstrip("/").rpartition("/")[2].partition(".")[0]
        left = f"a caller left a message of {order.seconds} seconds. Recording {recording}"
        words = f"{line.name}: {left}" if recording else f"{line.name}: a message was taken: {order.text}"
        people = [configuration.people[name] for name in line.messages_to]
        told = await self._tell(people, (), line.name, words, line.number)
        if told == 0:
            raise passing("nobody could be told of a message", UNAVAILABLE)
        log.info("message delivered", line=order.line, call=order.call, told=told)
        return Done()

    async def _tell(
        self, people: list[Person], urls: tuple[str, ...], title: str, words: str, from_: str
    ) -> int:
        """Push to these URLs and people, and send an SMS to whom no push has reached; how many took it."""
        shared, *own = await asyncio.gather(
            self._pushes.send(urls, title, words),
            *(self._pushes.send(person.push_urls, title, words) for person in people),
        )
        told = shared.taken
        for person, pushed in zip(people, own, strict=True):
            told += pushed.taken
            if person.sms_number is not None and not pushed.taken:
                sent = await self._texts.send("notice", person.sms_number, from_, words)
                told += sent.what != "refused"  # a doubtful one is not sent again for a notice
        return told
