"""How an act reaches its escalation, whatever Temporal does: asked, else signalled, else written down.

Each way is as durable as it can be made before the person hears a word, and all carry the same act id.
"""

from dataclasses import dataclass
from typing import Literal

import structlog

from api.errors import ClosedError, NoAnswerError, NotTakenError
from api.messenger import Messenger
from api.spool import ActDone, Delivery, Kept, MessageLeft, Spool, TextCame
from workflows.messages import TextIn, TextMatch, call_workflow_id, responder_workflow_id
from workflows.values import Act, ActId, ActReply, EscalationId, PersonId, Verdict, Via

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.acts")


@dataclass(frozen=True)
class Closed:
    """The case is over, or never was."""


@dataclass(frozen=True)
class Pending:
    """It is on record, and nobody has decided yet. where: in the workflow's inbox, in our file, or nowhere."""

    where: Literal["temporal", "spool", "nowhere"]


Heard = ActReply | Closed | Pending

NOT_UNDERSTOOD = ActReply(
    Verdict.REFUSED, "That could not be understood. Please use the link or the console."
)


@dataclass(frozen=True)
class Acts:
    """Brings acts to escalations."""

    messenger: Messenger
    spool: Spool

    async def perform(self, escalation: EscalationId, act: Act) -> Heard:
        """Do it and hear who has it now, or at least have it on record."""
        try:
            return await self.ask(escalation, act)
        except NoAnswerError:
            return await self._leave(escalation, act)

    async def ask(self, escalation: EscalationId, act: Act) -> ActReply | Closed:
        """The workflow's answer; asking again with the same act id is one act. Raises NoAnswerError."""
        try:
            return await self.messenger.ask(
                escalation,
                act.kind,
                act,
                ActReply,
                update_id=act.id,
                limit_s=self.messenger.patience.act_s,
            )
        except ClosedError:
            return Closed()
        except NotTakenError as error:
            log.error("act not understood", escalation=escalation, act=act.id, error=str(error))
            return NOT_UNDERSTOOD

    async def _leave(self, escalation: EscalationId, act: Act) -> Closed | Pending:
        try:
            await self.messenger.tell(escalation, act.kind, act)
        except ClosedError:
            return Closed()
        except NoAnswerError as error:
            log.error("act spooled, Temporal does not answer", escalation=escalation, error=str(error))
            return Pending("spool" if await self.spool.keep(ActDone(escalation, act)) else "nowhere")
        log.warning("act signalled, no worker answers", escalation=escalation, act=act.id)
        return Pending("temporal")

    async def page_of(self, person: PersonId, code: str, message: str) -> TextMatch | None:
        """The open page of this person with this code, None where there is none. Raises NoAnswerError."""
        try:
            match = await self.messenger.ask(
                responder_workflow_id(person),
                "match_text",
                TextIn(code=code),
                TextMatch,
                update_id=f"text:{message}:{person}",
                limit_s=self.messenger.patience.script_s,
            )
        except (ClosedError, NotTakenError):
            return None
        return match if match.page is not None and match.escalation is not None else None

    async def deliver(self, kept: Kept) -> Delivery:
        """Hand over one record of the spool."""
        try:
            await self._deliver(kept)
        except NoAnswerError:
            return "later"
        except ClosedError:
            return "never"
        return "done"

    async def _deliver(self, kept: Kept) -> None:
        if isinstance(kept, ActDone):
            await self.messenger.tell(kept.escalation, kept.act.kind, kept.act)
        elif isinstance(kept, TextCame):
            match = await self.page_of(kept.person, kept.code, kept.message)
            if match is None or match.escalation is None:
                raise ClosedError(f"no open page of {kept.person} has that code")
            await self.messenger.tell(match.escalation, kept.does, text_act(kept, match))
        elif isinstance(kept, MessageLeft):
            await self.messenger.tell(call_workflow_id(kept.call), "message_left", kept.recording)
        else:
            await self.messenger.start_call(kept.call, failed_over=True)


def text_act(text: TextCame, match: TextMatch) -> Act:
    """The act that an SMS is, once its page is known; the same for every repeat of the message."""
    return Act(
        kind=text.does,
        id=ActId(f"text:{text.message}:{text.does}"),
        by=text.person,
        via=Via.TEXT,
        page=match.page,
        pressed_at=text.at,
        code=text.code,
    )
