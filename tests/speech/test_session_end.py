"""How a session ends, and what it says of its limits meanwhile."""

from sandbox.speech.mind import Say
from sandbox.speech.session import Timing
from tests.speech.talk import Scripted, Talk


def test_at_its_limit_a_session_says_so_and_closes_with_1001() -> None:
    talk = Talk(Scripted(), Timing(lasts_ms=60 * 60_000))
    talk.passes(60 * 60_000 - 1)
    assert talk.closed is None
    talk.passes(1)
    assert talk.error()["code"] == "session_expired"
    assert talk.closed is not None
    assert (talk.closed.code, talk.closed.reason) == (
        1001, "Your session hit the maximum duration of 60 minutes.",
    )  # fmt: skip


def test_after_its_end_a_session_answers_nothing() -> None:
    talk = Talk(Scripted(), Timing(lasts_ms=1_000))
    talk.passes(1_000)
    assert talk.send("response.create") == []
    assert talk.session.due_ms is None


def test_a_response_reserves_its_tokens_and_settles_them() -> None:
    talk = Talk(Scripted([Say("Hello.")])).on_the_telephone()
    events = talk.of("rate_limits.updated", talk.respond())
    remaining = [limits[1]["remaining"] for limits in (event["rate_limits"] for event in events)]
    assert remaining[0] < remaining[1]
    usage = talk.last("response.done")["response"]["usage"]
    assert usage["output_token_details"]["audio_tokens"] == len(talk.sound()) // 8 // 50


def test_every_event_has_an_id_of_its_own_and_the_same_seed_draws_the_same() -> None:
    def ids() -> list[str]:
        talk = Talk(Scripted([Say("Hello.")])).on_the_telephone()
        talk.respond()
        return [event["event_id"] for event in talk.events]

    assert len(set(ids())) == len(ids())
    assert ids() == ids()
