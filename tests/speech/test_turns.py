"""When the caller's turn begins and ends, what that does to an answer, and what is told of it."""

import numpy as np
import pytest

from sandbox.sound import modem, mulaw
from sandbox.sound.mulaw import Samples
from sandbox.speech.mind import Say
from sandbox.speech.session import Timing
from tests.speech.talk import Event, Scripted, Talk

SERVER_VAD: Event = {
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
    "create_response": True, "interrupt_response": True, "idle_timeout_ms": None,
}  # fmt: skip
LONG = "This is a rather long answer about pipes."


def vad(**changes: object) -> Event:
    return {**SERVER_VAD, **changes}


def test_a_turn_is_told_from_its_beginning_to_its_answer() -> None:
    talk = Talk(Scripted([Say("Yes.")])).on_the_telephone(turn_detection=vad())
    events = [*talk.says("help"), talk.until("response.done")]
    kinds = [
        kind for kind in talk.kinds(events) if "delta" not in kind and "response" not in kind.split(".")[0]
    ]
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert talk.of("conversation.item.input_audio_transcription.completed", events)[0]["transcript"] == "help"


def test_a_turn_begins_with_its_padding_and_ends_with_its_silence() -> None:
    talk = Talk().on_the_telephone(turn_detection=vad(create_response=False))
    talk.silence(1_000)
    talk.says("help")
    began = talk.last("input_audio_buffer.speech_started")["audio_start_ms"]
    ended = talk.last("input_audio_buffer.speech_stopped")["audio_end_ms"]
    spoken_ms = len(modem.speak("help")) // 8
    assert began == pytest.approx(1_000 - 300, abs=20)
    assert ended == pytest.approx(1_000 + spoken_ms + 500, abs=80)


def test_all_of_a_turn_and_its_padding_is_listened_to() -> None:
    talk = Talk(deaf=True).on_the_telephone(turn_detection=vad(create_response=False))
    talk.silence(500)
    talk.says("help")
    assert modem.understand(talk.listens[0].samples) == "help"
    assert len(talk.listens[0].samples) // 8 >= 300 + len(modem.speak("help")) // 8


def test_speech_cancels_the_answer_that_is_being_made() -> None:
    talk = Talk(Scripted([Say(LONG)], [Say("Yes.")])).on_the_telephone(turn_detection=vad())
    talk.send("response.create")
    talk.passes(60)
    events = talk.says("wait")
    cancelled = talk.of("response.done", events)[0]["response"]
    assert cancelled["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    talk.until("response.done")
    started = talk.kinds(events).index("input_audio_buffer.speech_started")
    assert talk.kinds(events).index("response.done") > started


def test_without_interruption_the_answer_goes_on_and_the_turn_is_answered_after_it() -> None:
    quick = Timing(thinking_ms=3_000)
    talk = Talk(Scripted([Say(LONG)], [Say("Yes.")]), quick).on_the_telephone(
        turn_detection=vad(interrupt_response=False)
    )
    talk.send("response.create")
    talk.says("wait")
    assert not talk.of("response.done")
    talk.passes(10_000)
    done = [event["response"]["status"] for event in talk.of("response.done")]
    assert done == ["completed", "completed"]
    assert not talk.of("error")


def test_without_create_response_a_turn_is_kept_and_not_answered() -> None:
    talk = Talk().on_the_telephone(turn_detection=vad(create_response=False))
    talk.says("help")
    assert not talk.of("response.created", talk.passes(5_000))


def test_a_click_is_no_turn() -> None:
    talk = Talk().on_the_telephone(turn_detection=vad())
    click = np.zeros(800, dtype=np.int16)
    click[:40] = 12_000
    talk.hears(click)
    assert not talk.of("input_audio_buffer.speech_started", talk.silence(1_000))


def test_babble_without_end_is_cut_into_turns() -> None:
    talk = Talk(Scripted(), Timing(longest_turn_ms=2_000)).on_the_telephone(
        turn_detection=vad(create_response=False)
    )
    talk.hears(modem.speak("x" * 80))
    assert len(talk.of("input_audio_buffer.committed")) == 2


def test_a_silent_caller_is_prompted_after_the_answer_was_played() -> None:
    talk = Talk(Scripted([Say(LONG)], [Say("Are you there?")])).on_the_telephone(
        turn_detection=vad(idle_timeout_ms=6_000)
    )
    began = talk.now_ms
    played_ms = len(talk.sound(talk.respond())) // 8
    talk.silence(played_ms + 5_900 - (talk.now_ms - began))
    assert not talk.of("input_audio_buffer.timeout_triggered")
    talk.silence(300)
    assert talk.last("input_audio_buffer.timeout_triggered")["audio_end_ms"] > 0
    assert talk.spoken([*talk.events[-400:], talk.until("response.done")]).endswith("Are you there?")


def test_speech_stops_the_clock_of_silence() -> None:
    talk = Talk(Scripted([Say("Yes?")])).on_the_telephone(
        turn_detection=vad(idle_timeout_ms=5_000, create_response=False)
    )
    talk.respond()
    talk.says("I am here")
    talk.silence(9_000)
    assert not talk.of("input_audio_buffer.timeout_triggered")


def test_by_hand_a_turn_is_committed_and_cleared() -> None:
    talk = Talk().on_the_telephone()
    assert talk.error(talk.send("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    talk.hears(modem.speak("one"))
    assert talk.send("input_audio_buffer.clear")[0]["type"] == "input_audio_buffer.cleared"
    talk.hears(modem.speak("two"))
    talk.send("input_audio_buffer.commit")
    transcript = talk.last("conversation.item.input_audio_transcription.completed")["transcript"]
    assert transcript == "two"


def test_an_answer_waits_for_what_was_said_but_not_for_its_transcript() -> None:
    talk = Talk(Scripted([Say("Yes.")]), Timing(transcript_ms=4_000), deaf=True).on_the_telephone(
        turn_detection=vad()
    )
    talk.says("help")
    assert talk.of("response.created")
    assert not talk.of("response.output_item.added", talk.passes(2_000))
    talk.understood(talk.listens[0], "help")
    talk.until("response.done")
    assert not talk.of("conversation.item.input_audio_transcription.completed")
    talk.passes(4_000)
    assert talk.last("conversation.item.input_audio_transcription.completed")["transcript"] == "help"


def test_ears_that_cannot_be_used_fail_the_transcription_and_not_the_turn() -> None:
    talk = Talk(Scripted([Say("Yes.")]), deaf=True).on_the_telephone(turn_detection=vad())
    talk.says("help")
    talk.understood(talk.listens[0], None)
    assert talk.last("conversation.item.input_audio_transcription.failed")
    assert talk.until("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize("audio_format", ["audio/pcmu", "audio/pcma", "audio/pcm"])
def test_every_format_is_understood_and_spoken(audio_format: str) -> None:
    rate: Event = {"rate": 24_000} if audio_format == "audio/pcm" else {}
    described = {"type": audio_format, **rate}
    talk = Talk(Scripted([Say("Good evening.")]))
    talk.configure(
        audio={
            "input": {"format": described, "turn_detection": None, "transcription": {"model": "whisper-1"}},
            "output": {"format": described},
        }
    )
    talk.hears(modem.speak("Guten Abend"), audio_format)
    talk.send("input_audio_buffer.commit")
    assert talk.last("conversation.item.input_audio_transcription.completed")["transcript"] == "Guten Abend"
    assert modem.understand(talk.sound(talk.respond(), audio_format)) == "Good evening."


def test_mu_law_sent_before_the_session_is_updated_is_read_as_pcm_of_24_khz() -> None:
    talk = Talk(Scripted(), Timing(update_ms=500), deaf=True)
    silence: Samples = np.zeros(mulaw.RATE // 2, dtype=np.int16)
    talk.configure(
        audio={"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}, "output": {}},
    )
    talk.hears(np.concatenate([modem.speak("x")[:3_200], silence])[:3_200])
    assert not talk.of("session.updated")
    talk.passes(100)
    assert talk.of("session.updated")
    talk.hears(modem.speak("late"))
    talk.send("input_audio_buffer.commit")
    heard = talk.listens[-1].samples
    assert modem.understand(heard) != "xlate"
    assert modem.understand(heard).endswith("late")
    assert len(heard) < len(modem.speak("late")) + 3_200 // 5
