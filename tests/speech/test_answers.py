"""Responses: what is sent, in which order, how fast, and how they end."""

import pytest

from sandbox.sound import modem
from sandbox.speech.mind import Say, Use
from tests.speech.talk import Scripted, Talk

HELLO = "Hello, this is the night line."


def test_a_spoken_answer_is_told_in_the_order_of_the_protocol() -> None:
    talk = Talk(Scripted([Say(HELLO)])).on_the_telephone()
    kinds = talk.kinds(talk.respond())
    told = [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]
    assert [kind for kind in told if "delta" not in kind] == [
        "response.created", "rate_limits.updated",
        "response.output_item.added", "conversation.item.added", "response.content_part.added",
        "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.done", "rate_limits.updated",
    ]  # fmt: skip


def test_the_sound_of_an_answer_is_what_its_transcript_says() -> None:
    talk = Talk(Scripted([Say(HELLO)])).on_the_telephone()
    events = talk.respond()
    assert talk.spoken(events) == HELLO
    assert talk.of("response.output_audio_transcript.done", events)[0]["transcript"] == HELLO
    pieces = [str(event["delta"]) for event in talk.of("response.output_audio_transcript.delta", events)]
    assert "".join(pieces) == HELLO


def test_an_answer_leaves_ten_times_faster_than_it_is_played_in_pieces_of_200_ms() -> None:
    talk = Talk(Scripted([Say(HELLO * 3)])).on_the_telephone()
    began = talk.now_ms
    events = talk.respond()
    played_ms = len(talk.sound(events)) // 8
    assert talk.now_ms - began == pytest.approx(played_ms / 10, abs=30)
    lengths = [
        len(str(delta["delta"])) * 3 // 4 // 8 for delta in talk.of("response.output_audio.delta", events)
    ]
    assert set(lengths[:-1]) == {200}


def test_a_tool_is_called_after_what_is_said_and_its_arguments_are_told_in_pieces() -> None:
    talk = Talk(Scripted([Say(HELLO), Use("escalate", {"place": "412 Oak Street"})])).on_the_telephone()
    done = talk.of("response.done", talk.respond())[0]
    response = done["response"]
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    pieces = [str(event["delta"]) for event in talk.of("response.function_call_arguments.delta")]
    assert "".join(pieces) == talk.last("response.function_call_arguments.done")["arguments"]


def test_the_outcome_of_a_tool_is_shown_to_the_mind() -> None:
    mind = Scripted([Use("note", {"text": "water"})], [Say("Noted.")])
    talk = Talk(mind).on_the_telephone()
    talk.respond()
    call_id = talk.last("response.function_call_arguments.done")["call_id"]
    item = {"type": "function_call_output", "call_id": call_id, "output": "{}"}
    talk.send("conversation.item.create", item=item)
    assert talk.spoken(talk.respond()) == "Noted."
    assert [item.json()["type"] for item in mind.asked[1].items] == ["function_call", "function_call_output"]


def test_the_outcome_of_a_tool_nobody_called_is_refused() -> None:
    talk = Talk()
    item = {"type": "function_call_output", "call_id": "call_nobody", "output": "{}"}
    assert talk.error(talk.send("conversation.item.create", item=item))["code"] == "invalid_tool_call_id"


def test_a_second_response_is_refused_while_one_is_active() -> None:
    talk = Talk(Scripted([Say(HELLO)])).on_the_telephone()
    talk.send("response.create")
    refused = talk.send("response.create")
    assert talk.error(refused)["code"] == "conversation_already_has_active_response"
    talk.until("response.done")
    assert not talk.of("error", talk.respond())


def test_a_response_out_of_band_runs_beside_the_conversation_and_leaves_nothing_in_it() -> None:
    talk = Talk(Scripted([Say(HELLO)], [Say("water")])).on_the_telephone()
    talk.send("response.create")
    aside = talk.send(
        "response.create",
        response={"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "kind"}},
    )
    done = talk.of("response.done", aside)[0]["response"]
    assert done["metadata"] == {"topic": "kind"}
    assert done["conversation_id"] is None
    assert done["output"][0]["content"][0]["text"] == "water"
    assert not talk.of("conversation.item.added", aside[1:])
    talk.until("response.done")


def test_a_cancelled_response_closes_its_item_as_incomplete() -> None:
    talk = Talk(Scripted([Say(HELLO)])).on_the_telephone()
    talk.send("response.create")
    talk.passes(45)
    events = talk.send("response.cancel")
    assert talk.of("response.output_item.done", events)[0]["item"]["status"] == "incomplete"
    response = talk.of("response.done", events)[0]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert not talk.of("response.output_audio.delta", talk.passes(5_000))


def test_cancelling_when_nothing_is_active_is_an_error_and_no_more() -> None:
    talk = Talk()
    assert talk.error(talk.send("response.cancel"))["code"] == "response_cancel_not_active"
    assert talk.of("response.done", talk.respond())


def test_an_answer_is_cut_at_the_most_tokens_it_may_have() -> None:
    talk = Talk(Scripted([Say(HELLO * 5)])).on_the_telephone(max_output_tokens=20)
    events = talk.respond()
    assert len(talk.sound(events)) == 20 * 50 * 8
    response = talk.of("response.done", events)[0]["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


def test_in_text_the_answer_is_text() -> None:
    talk = Talk(Scripted([Say(HELLO)])).on_the_telephone(output_modalities=["text"])
    events = talk.respond()
    assert talk.of("response.output_text.done", events)[0]["text"] == HELLO
    assert not talk.of("response.output_audio.delta", events)


def test_a_mind_with_nothing_to_say_completes_an_empty_response() -> None:
    talk = Talk(Scripted([])).on_the_telephone()
    response = talk.of("response.done", talk.respond())[0]["response"]
    assert (response["status"], response["output"]) == ("completed", [])


def test_a_response_waits_for_its_voice_and_fails_without_one() -> None:
    talk = Talk(Scripted([Say(HELLO)], [Say(HELLO)]), mute=True).on_the_telephone()
    talk.send("response.create")
    assert not talk.of("response.output_audio.delta", talk.passes(10_000))
    assert talk.of("response.output_audio.delta", talk.voiced(talk.speaks[0], modem.speak(HELLO)))
    talk.until("response.done")
    talk.send("response.create")
    response = talk.of("response.done", talk.voiced(talk.speaks[1], None))[0]["response"]
    assert response["status"] == "failed"
