"""In any order of speech, requests and interruptions the protocol's own rules hold."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.sound import modem
from sandbox.speech.mind import Say, Step, Use
from sandbox.speech.session import Timing
from tests.speech.talk import Event, Scripted, Talk

VAD = {"type": "server_vad", "idle_timeout_ms": 5_000}
REPLIES: list[list[Step]] = [
    [Say("A rather long answer about the pipe.")],
    [Use("note", {"text": "x"})],
    [],
    [Say("Short."), Use("note", {"text": "y"})],
] * 10
ACTS = st.sampled_from(
    [
        "speak",
        "quiet",
        "respond",
        "aside",
        "cancel",
        "truncate",
        "delete",
        "tool",
        "update",
        "commit",
        "clear",
        "text",
    ]
)


class Course:
    """Acts of a client, one after the other."""

    def __init__(self, interrupt: bool) -> None:
        detection = {**VAD, "interrupt_response": interrupt, "create_response": True}
        self.talk = Talk(Scripted(*REPLIES), Timing(thinking_ms=30, transcript_ms=200))
        self.talk.on_the_telephone(turn_detection=detection)

    def act(self, what: str) -> None:
        talk = self.talk
        match what:
            case "speak":
                talk.hears(modem.speak("wait"))
            case "quiet":
                talk.silence(700)
            case "respond":
                talk.send("response.create")
            case "aside":
                talk.send("response.create", response={"conversation": "none"})
            case "cancel":
                talk.send("response.cancel")
            case "truncate" | "delete":
                self._item(what)
            case "tool":
                for call in talk.of("response.function_call_arguments.done")[-1:]:
                    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"}
                    talk.send("conversation.item.create", item=output)
            case "update":
                talk.configure(instructions="Other.")
            case "commit" | "clear":
                talk.send(f"input_audio_buffer.{what}")
            case _:
                talk.types("hello")

    def _item(self, what: str) -> None:
        added = self.talk.of("response.output_item.added")
        if not added:
            return
        where: dict[str, Any] = {"item_id": added[-1]["item"]["id"]}
        if what == "truncate":
            where |= {"content_index": 0, "audio_end_ms": 150}
        self.talk.send(f"conversation.item.{what}", **where)


@settings(deadline=None, max_examples=60)
@given(st.lists(ACTS, max_size=25), st.booleans())
def test_what_begins_ends_once_and_in_its_order(acts: list[str], interrupt: bool) -> None:
    course = Course(interrupt)
    for what in acts:
        course.act(what)
    talk = course.talk
    talk.configure(audio={"input": {"turn_detection": None}})
    talk.passes(30_000)

    created = [event["response"]["id"] for event in talk.of("response.created")]
    done = [event["response"]["id"] for event in talk.of("response.done")]
    assert sorted(created) == sorted(done)
    assert len(set(done)) == len(done)
    opened = Counter(event["item"]["id"] for event in talk.of("response.output_item.added"))
    closed = Counter(event["item"]["id"] for event in talk.of("response.output_item.done"))
    assert opened == closed
    turns = [kind for kind in talk.kinds(talk.events) if kind.startswith("input_audio_buffer.speech_")]
    assert all(kind.endswith("started") for kind in turns[::2])
    assert all(kind.endswith("stopped") for kind in turns[1::2])
    assert talk.session.snapshot()["active"] is None

    active: set[str] = set()
    for event in talk.events:
        response: Event = event.get("response") or {}
        if response.get("conversation_id") is None:
            continue
        if event["type"] == "response.created":
            assert not active, "two at once in one conversation"
            active.add(response["id"])
        elif event["type"] == "response.done":
            active.discard(response["id"])
