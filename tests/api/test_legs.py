"""The AI's leg: to a bridge, back to us, its end. And facts spoken to a leg."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from tests.api.house import CLINIC, STREAM_URL, House
from tests.api.twilio_side import PUBLIC_URL, call_sid
from workflows.messages import call_workflow_id
from workflows.tokens import FACT, LEG, STREAM, FactToken, LegToken
from workflows.values import CallSid, Fact, LineId


def leg_token(house: House, call: CallSid, generation: int = 2) -> str:
    return house.tokens.make(LEG, LegToken(call, generation))


async def a_call(house: House) -> CallSid:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    return sid


@pytest.mark.parametrize("where", ["in the body", "in the query"])
async def test_the_leg_is_streamed_to_the_bridge_with_a_token_good_for_one_attach(
    house: House, where: str
) -> None:
    call, leg = call_sid(), call_sid()
    token = leg_token(house, call)
    if where == "in the body":
        answer = await house.twilio.call("/ai-leg", leg, leg=token)
    else:
        answer = await house.twilio.call(f"/ai-leg?{urlencode({'leg': token})}", leg)

    assert answer.verbs == ["Connect", "Redirect"]
    assert answer.attribute("Stream", "url") == STREAM_URL
    assert answer.attribute("Parameter", "name") == "token"
    stream = house.tokens.open(STREAM, answer.attribute("Parameter", "value"))
    assert (stream.call, stream.generation) == (call, 2)
    assert "/ai-leg/resume?leg=" in answer.words("Redirect")
    again = await house.twilio.call("/ai-leg", leg, leg=token)
    assert house.tokens.open(STREAM, again.attribute("Parameter", "value")).nonce != stream.nonce


async def test_a_parameter_stays_within_twilios_limit(house: House) -> None:
    answer = await house.twilio.call("/ai-leg", call_sid(), leg=leg_token(house, call_sid()))
    assert len("token" + answer.attribute("Parameter", "value")) < 500


async def test_a_leg_without_its_token_is_refused(house: House) -> None:
    assert (await house.twilio.call("/ai-leg", call_sid())).status == 403
    assert (await house.twilio.call("/ai-leg", call_sid(), leg="forged")).status == 403


async def test_a_stream_that_ended_is_opened_again_while_the_call_wants_it(house: House) -> None:
    call = await a_call(house)
    url = f"/ai-leg/resume?{urlencode({'leg': leg_token(house, call)})}"
    assert (await house.twilio.call(url, call_sid())).verbs == ["Connect", "Redirect"]
    assert (await house.told(call_workflow_id(call), "resume"))[0]["generation"] == 2

    await house.client.get_workflow_handle(call_workflow_id(call)).signal("will", False)
    assert (await house.twilio.call(url, call_sid())).verbs == ["Hangup"]


async def test_a_stream_that_was_over_at_once_is_opened_again_after_a_pause(house: House) -> None:
    """Twilio follows only so many redirects in a row, and a bridge that starts anew takes seconds."""
    call = await a_call(house)
    opened = await house.twilio.call("/ai-leg", call_sid(), leg=leg_token(house, call))
    resume = opened.words("Redirect").removeprefix(PUBLIC_URL)

    assert (await house.twilio.call(resume, call_sid())).verbs == ["Pause", "Connect", "Redirect"]

    long_ago = re.sub(r"since=\d+", "since=1700000000", resume)
    assert (await house.twilio.call(long_ago, call_sid())).verbs == ["Connect", "Redirect"]


async def test_a_leg_of_a_call_that_is_over_hangs_up(house: House) -> None:
    url = f"/ai-leg/resume?{urlencode({'leg': leg_token(house, call_sid())})}"
    assert (await house.twilio.call(url, call_sid())).verbs == ["Hangup"]


async def test_without_an_answer_the_leg_waits_and_asks_again(no_worker: House) -> None:
    call = await a_call(no_worker)
    url = f"/ai-leg/resume?{urlencode({'leg': leg_token(no_worker, call)})}"
    answer = await no_worker.twilio.call(url, call_sid())
    assert answer.verbs == ["Pause", "Redirect"]
    assert (
        answer.words("Redirect").endswith("leg=" + leg_token(no_worker, call))
        or "/ai-leg/resume" in answer.text
    )


@pytest.mark.parametrize(
    ("status", "news"), [("completed", 1), ("failed", 1), ("ringing", 0), ("in-progress", 0)]
)
async def test_only_the_legs_end_is_news(house: House, status: str, news: int) -> None:
    call, leg = await a_call(house), call_sid()
    url = f"/ai-leg/status?{urlencode({'leg': leg_token(house, call)})}"
    assert (await house.twilio.call(url, leg, CallStatus=status)).status == 204
    assert (
        await house.told(call_workflow_id(call), "leg") == [{"version": 1, "sid": leg, "what": "gone"}] * news
    )


async def test_a_fact_is_said_in_the_lines_language(house: House) -> None:
    until = datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    token = house.tokens.make(FACT, FactToken(CLINIC, Fact("f", "exhausted", until=until)))
    for answer in (
        await house.twilio.get(f"/announce/{token}"),
        await house.twilio.post(f"/announce/{token}"),
    ):
        assert "at 02:30 at the latest" in answer.says
        assert answer.languages == ["en-US"]
        assert answer.verbs == ["Say"]


async def test_the_danger_sentence_is_said_in_all_languages(house: House) -> None:
    token = house.tokens.make(FACT, FactToken(CLINIC, Fact("f", "danger")))
    answer = await house.twilio.get(f"/announce/{token}")
    assert answer.languages == ["en-US", "es-MX"]
    assert "911" in answer.says


async def test_an_announcement_needs_no_temporal(temporal_down: House) -> None:
    token = temporal_down.tokens.make(FACT, FactToken(LineId("hotel"), Fact("f", "joining", name="Ana")))
    assert (await temporal_down.twilio.get(f"/announce/{token}")).says == "Ana está en la línea."


async def test_somebody_on_hold_hears_whom_to_dial_in_danger_and_that_they_are_not_forgotten(
    house: House,
) -> None:
    answer = await house.twilio.get("/hold/words/clinic")
    assert answer.verbs == ["Say", "Say", "Say", "Say", "Pause"]
    assert answer.says.startswith("If anyone is in danger")
    assert "You are not forgotten" in answer.says
    assert (await house.twilio.get("/hold/words/gone")).verbs == ["Say", "Pause"]


async def test_an_ai_on_hold_hears_nothing(house: House) -> None:
    assert (await house.twilio.get("/hold/silence")).verbs == ["Pause"]
