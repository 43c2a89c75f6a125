"""What may be assumed of a request that failed: one row a case."""

import json

import pytest
from temporalio.exceptions import ApplicationError
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from activities.errors import (
    TOO_EARLY,
    UNAVAILABLE,
    Fate,
    NotSentError,
    ReplyLostError,
    discreet,
    failure,
    problem,
)
from workflows.orders import GONE, REFUSED


def replied(status: int, code: int | None = None, words: str = "words") -> TwilioRestException:
    return TwilioRestException(status, "/Calls.json", words, code or status, "POST")


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        pytest.param(NotSentError("refused"), Fate.NOT_DONE, id="no connection: nothing was done"),
        pytest.param(replied(429, 20429), Fate.NOT_DONE, id="429: nothing was done"),
        pytest.param(replied(400, 20429), Fate.NOT_DONE, id="20429 under any status: nothing was done"),
        pytest.param(replied(400, 21211), Fate.REFUSED, id="4xx: refused"),
        pytest.param(replied(401, 20003), Fate.NOT_DONE, id="401: our account, nobody's number"),
        pytest.param(replied(404, 20404), Fate.REFUSED, id="404: refused"),
        pytest.param(replied(408), Fate.UNKNOWN, id="408: may be done"),
        pytest.param(replied(500), Fate.UNKNOWN, id="500: may be done"),
        pytest.param(replied(503), Fate.UNKNOWN, id="503: may be done"),
        pytest.param(replied(302), Fate.UNKNOWN, id="a redirect nobody follows: may be done"),
        pytest.param(ReplyLostError("cut"), Fate.UNKNOWN, id="lost reply: may be done"),
        pytest.param(
            json.JSONDecodeError("no", "<html>", 0), Fate.UNKNOWN, id="a page of a proxy: may be done"
        ),
        pytest.param(TwilioException("?"), Fate.UNKNOWN, id="what nobody foresaw: may be done"),
        pytest.param(
            TwilioServiceException("about:blank", "Bad", 400, 21211, "no such number"),
            Fate.REFUSED,
            id="the newer form of error: refused",
        ),
    ],
)
def test_what_may_have_been_done(error: Exception, fate: Fate) -> None:
    assert problem(error).fate is fate


@pytest.mark.parametrize(
    ("error", "type_", "for_good"),
    [
        pytest.param(replied(404, 20404), GONE, True, id="not there"),
        pytest.param(replied(400, 16022), GONE, True, id="the room is over"),
        pytest.param(replied(400, 16028), TOO_EARLY, False, id="the coached leg is not in the room yet"),
        pytest.param(replied(400, 16001), TOO_EARLY, False, id="the room is not in progress yet"),
        pytest.param(replied(400, 21211), REFUSED, True, id="refused"),
        pytest.param(replied(429, 20429), UNAVAILABLE, False, id="too many requests"),
        pytest.param(replied(500), UNAVAILABLE, False, id="trouble at the provider"),
        pytest.param(NotSentError("refused"), UNAVAILABLE, False, id="nobody there"),
        pytest.param(ReplyLostError("cut"), UNAVAILABLE, False, id="reply lost"),
    ],
)
def test_what_the_workflow_is_told(error: Exception, type_: str, for_good: bool) -> None:
    told = failure("participant not changed", problem(error))

    assert isinstance(told, ApplicationError)
    assert (told.type, told.non_retryable) == (type_, for_good)


def test_numbers_are_masked_and_sids_are_not() -> None:
    sid = "CA01234567890123456789012345678901"

    told = discreet(f"The 'To' number +12025550111 of call {sid} is not valid, nor is 12025550112")

    assert sid in told
    assert "+12025550111" not in told
    assert "12025550112" not in told
    assert "0111" in told
