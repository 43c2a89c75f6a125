"""What goes wrong with a request to the provider, and what follows from it. Decided here and nowhere else.

The question for a create is never "did it fail?" but "may it have been done?": sending it twice rings a phone
twice. For everything that may be repeated the question is only whether asking again can help.

| what came back                                 | of a create       | of a look or an update      |
| ---------------------------------------------- | ----------------- | --------------------------- |
| nobody took the connection; 429                | not done: again   | raised: Temporal asks again |
| 401, 403: the account, not the number          | not done: again   | raised: Temporal asks again |
| 4xx                                            | refused, for good | Refused, or Gone: for good  |
| time-out after sending, lost reply, 5xx, other | doubtful: look    | raised: Temporal asks again |
"""

import json
import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from configuration.numbers import masked_within
from workflows.orders import GONE, REFUSED

OUR_ACCOUNT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
RATE_EXCEEDED = 20429
NOT_FOUND = 20404
CALL_NOT_IN_PROGRESS = 21220
ROOM_NOT_ACTIVE = 16022
LABEL_TAKEN = 16026

ABSENT = frozenset({NOT_FOUND, ROOM_NOT_ACTIVE})
# The room is not bridged yet, the coached leg is not in it yet, trouble inside; all pass within a second or two.
NOT_YET = frozenset({16001, 16028, 16030, 16099})

SID = re.compile(r"([A-Z]{2}[0-9a-f]{32})")

UNAVAILABLE = "Unavailable"  # ApplicationError.type of what may work when it is asked again
TOO_EARLY = "TooEarly"  # … of what the room is not ready for


class TransportError(Exception):
    """No usable reply came from the provider."""


class NotSentError(TransportError):
    """Nobody took the connection: the request has had no effect."""


class ReplyLostError(TransportError):
    """The request went out and no usable reply came: it may have been done."""


class Fate(Enum):
    """What may be assumed of a request that did not succeed."""

    NOT_DONE = "not done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Problem:
    """A failed request: what may be assumed of it, and the provider's words with every number masked.

    status: of HTTP, None without a reply. code: Twilio's own.
    """

    fate: Fate
    words: str
    status: int | None = None
    code: int | None = None

    @property
    def absent(self) -> bool:
        """The thing asked about is not there, or not any more."""
        return self.status == HTTPStatus.NOT_FOUND or self.code in ABSENT

    @property
    def over(self) -> bool:
        """The call asked about has ended, or has got past what was asked."""
        return self.absent or self.code == CALL_NOT_IN_PROGRESS


PROBLEMS = (TransportError, TwilioException, json.JSONDecodeError)
"""Whatever a request through the official client can raise."""


def problem(error: Exception) -> Problem:
    """What a failed request means."""
    match error:
        case NotSentError():
            return Problem(Fate.NOT_DONE, str(error))
        case TwilioRestException():
            return _replied(error.status, error.code, error.msg)
        case TwilioServiceException():
            return _replied(error.status, error.code, f"{error.title}: {error.detail or ''}")
        case _:
            return Problem(Fate.UNKNOWN, discreet(str(error)) or type(error).__name__)


def failure(what: str, found: Problem) -> ApplicationError:
    """The error with which an activity that may be repeated tells the workflow, and Temporal, what to do."""
    text = f"{what}: {found.words}"
    if found.absent:
        return ApplicationError(text, type=GONE, non_retryable=True)
    if found.code in NOT_YET:
        return passing(text, TOO_EARLY)
    if found.fate is Fate.REFUSED:
        return ApplicationError(text, type=REFUSED, non_retryable=True)
    return passing(text, UNAVAILABLE)


def passing(text: str, kind: str) -> ApplicationError:
    """The error of something that is expected to fail at times: asked again, and no traceback in the log."""
    return ApplicationError(text, type=kind, category=ApplicationErrorCategory.BENIGN)


def discreet(words: str) -> str:
    """The provider's words with every telephone number masked; its SIDs, which are full of digits, stay."""
    parts = SID.split(words)
    return "".join(part if SID.fullmatch(part) else masked_within(part) for part in parts)


def _replied(status: int, code: int | None, words: str) -> Problem:
    told = f"error {code or status}: {discreet(words)}"
    # A wrong token or a suspended account says nothing about a person's number: the ladder must not run through
    # all its rungs because of it. The calls stay queued, and the operator is alerted.
    if status in {*OUR_ACCOUNT, HTTPStatus.TOO_MANY_REQUESTS} or code == RATE_EXCEEDED:
        return Problem(Fate.NOT_DONE, told, status, code)
    # 408 says that the other side gave up waiting for us, not that it did nothing.
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    fate = Fate.REFUSED if refused and status != HTTPStatus.REQUEST_TIMEOUT else Fate.UNKNOWN
    return Problem(fate, told, status, code)
