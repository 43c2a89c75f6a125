"""What every route needs at hand: the workflows, the owner's file, the spool, our addresses and secrets."""

import hashlib
import hmac
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

import structlog
from fastapi import Depends, Request, Response

from api.acts import Acts
from api.addresses import Addresses
from api.door import Door
from api.errors import ClosedError, NoAnswerError, UnknownLineError
from api.messenger import Messenger
from api.signature import Sender
from api.spool import Spool
from api.traces import webhook_span
from api.twiml import Ear
from configuration.holder import ConfigurationFile
from configuration.model import Line
from workflows.contacts import line_card, speech_of
from workflows.emergency import ENDED
from workflows.messages import CallInput, EscalationView, Message
from workflows.returning import SAME_CASE_WITHIN
from workflows.sentences import Language, language_of
from workflows.tokens import EAR, EarToken, Purpose
from workflows.values import CallSid, LineId, OpenCase, PersonId
from workflows.values import Line as LineCard

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api")

T = TypeVar("T")

# What Twilio puts in place of a number that the caller withheld: nobody's, and everybody's.
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253", "+464"})
E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class Desk:
    """One per process, made by the app."""

    door: Door
    configuration: ConfigurationFile
    messenger: Messenger
    spool: Spool
    acts: Acts
    addresses: Addresses
    sender: Sender

    def opened(self, purpose: Purpose[T], token: str) -> T:
        """The value of a token of ours. Raises ForgedTokenError."""
        return self.door.tokens.open(purpose, token)

    def line(self, line_id: str) -> Line:
        """A line of the file as it is now. Raises UnknownLineError."""
        try:
            return self.configuration.current().lines[line_id]
        except KeyError:
            raise UnknownLineError(f"there is no line {line_id!r}") from None

    def card(self, line_id: str) -> LineCard:
        """The line as workflows know it. Raises UnknownLineError."""
        try:
            return line_card(self.configuration.current(), line_id)
        except KeyError:
            raise UnknownLineError(f"there is no line {line_id!r}") from None

    def line_ringing(self, number: str) -> LineId | None:
        """The line that has this number, or can be rung back on it."""
        lines = self.configuration.current().lines
        by_number = [name for name, line in lines.items() if line.number == number]
        by_call_back = [name for name, line in lines.items() if number in line.call_back_numbers]
        return next((LineId(name) for name in (*by_number, *by_call_back)), None)

    def language_of(self, person: PersonId, line_id: LineId) -> Language:
        """What a responder is spoken to in: their own language, else the line's."""
        running = self.configuration.current()
        theirs = running.people[person].languages if person in running.people else ()
        lines = running.lines[line_id].languages if line_id in running.lines else ()
        return language_of(theirs or lines)

    def call_input(
        self, sid: CallSid, line_id: LineId, caller: str, open_case: OpenCase | None = None
    ) -> CallInput:
        """What a call's workflow starts with. Raises UnknownLineError."""
        return CallInput(
            sid=sid,
            line=self.card(line_id),
            caller_number="anonymous" if caller in WITHHELD else caller,
            caller_digest=self.digest(caller),
            searchable=self.door.searchable,
            speech=speech_of(self.configuration.current(), line_id) if self.door.voice else None,
            open_case=open_case,
        )

    async def open_case(self, line_id: LineId, caller: str) -> OpenCase | None:
        """What this number has open on this line, of the last hours; None also where that cannot be found out."""
        digest = self.digest(caller)
        if not digest or not self.door.searchable:
            return None
        try:
            cases = await self.messenger.open_cases(digest, line_id, self.door.now() - SAME_CASE_WITHIN)
            if not cases:
                return None
            view = await self.messenger.look(cases[0], EscalationView)
        except (NoAnswerError, ClosedError) as error:
            log.warning("open case not found out", line=line_id, error=str(error))
            return None
        return None if view.phase in ENDED else OpenCase(view.id, view.case, view.owner_room)

    def ear(self, token: EarToken) -> Ear | None:
        """Where it is heard when this leg speaks; None where nobody listens."""
        if not self.door.voice:
            return None
        return Ear(self.door.stream_url, self.door.tokens.make(EAR, token))

    def digest(self, caller: str) -> str:
        """The caller's number, keyed and one-way; empty for a number that is withheld."""
        if caller in WITHHELD or not E164.fullmatch(caller):
            return ""
        return hmac.new(self.door.digest_key, caller.encode(), hashlib.sha256).hexdigest()[:32]

    async def mention(self, workflow_id: str, signal: str, message: Message) -> bool:
        """Tell a workflow something nobody waits for. False where Temporal did not take it.

        A workflow that is over needs no news: that counts as told.
        """
        try:
            await self.messenger.tell(workflow_id, signal, message)
        except ClosedError:
            log.debug("news for a workflow that is over", workflow=workflow_id, signal=signal)
        except NoAnswerError as error:
            log.warning("news not delivered", workflow=workflow_id, signal=signal, error=str(error))
            return False
        return True


def _desk_of(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


At = Annotated[Desk, Depends(_desk_of)]


async def signed(request: Request, at: At) -> AsyncGenerator[None]:
    """Let only Twilio in, and trace what it is told. Raises NotSignedError."""
    sent = await at.sender.check(request)
    with webhook_span(request, dict(sent)):
        yield


FromTwilio = Depends(signed)


class TwimlResponse(Response):
    """What Twilio is told to do."""

    media_type = "text/xml"
    charset = "utf-8"


def noted(told: bool) -> Response:
    """The answer to a callback: 204, or 503 so that Twilio's retry, where asked for, brings it again."""
    return Response(status_code=204 if told else 503)
