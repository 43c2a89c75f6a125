"""Items: what is put into the conversation, taken out of it, and cut to what was heard."""

import pytest

from sandbox.sound import modem
from sandbox.speech.mind import Say
from sandbox.speech.session import Timing
from tests.speech.talk import Event, Scripted, Talk, wire

SENTENCE = "The engineer has not picked up and I am ringing the second one now."


def known(talk: Talk) -> list[str]:
    """What the model remembers, item by item."""
    items: list[Event] = talk.session.snapshot()["items"]  # type: ignore[assignment]  # JSON
    return [str(item.get("known", item["type"])) for item in items]


def answered() -> tuple[Talk, str, int]:
    """After one answer: its item, and how long it sounds."""
    talk = Talk(Scripted([Say(SENTENCE)])).on_the_telephone()
    events = talk.respond()
    return (
        talk,
        str(talk.of("response.output_item.added", events)[0]["item"]["id"]),
        len(talk.sound(events)) // 8,
    )


def test_items_stand_in_the_order_the_client_asks_for() -> None:
    talk = Talk()
    first = talk.types("one")[0]["item"]["id"]
    talk.types("three")
    between = talk.send(
        "conversation.item.create",
        previous_item_id=first,
        item={"type": "message", "role": "system", "content": [{"type": "input_text", "text": "two"}]},
    )
    assert [event["previous_item_id"] for event in between] == [first, first]
    talk.send(
        "conversation.item.create",
        previous_item_id="root",
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "zero"}]},
    )
    assert known(talk) == ["zero", "one", "two", "three"]


def test_an_item_behind_nothing_and_an_id_taken_are_refused() -> None:
    talk = Talk()
    item = {
        "id": "item_a",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "a"}],
    }
    talk.send("conversation.item.create", item=item)
    twice = talk.send("conversation.item.create", item=item)
    assert talk.error(twice)["code"] == "item_create_duplicate_item_id"
    astray = talk.send("conversation.item.create", previous_item_id="nowhere", item={**item, "id": "item_b"})
    assert talk.error(astray)["code"] == "item_create_invalid_previous_item_id"


def test_items_are_retrieved_and_deleted_and_those_unknown_are_not() -> None:
    talk = Talk()
    item_id = talk.types("one")[0]["item"]["id"]
    assert talk.send("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]["text"] == "one"
    assert talk.send("conversation.item.delete", item_id=item_id)[0]["type"] == "conversation.item.deleted"
    for act in ("retrieve", "delete"):
        error = talk.error(talk.send(f"conversation.item.{act}", item_id=item_id))
        assert error["code"] == f"item_{act}_invalid_item_id"


@pytest.mark.parametrize("heard_percent", [0, 10, 50, 99])
def test_of_a_truncated_answer_only_the_words_that_were_heard_are_remembered(heard_percent: int) -> None:
    talk, item_id, length_ms = answered()
    heard_ms = length_ms * heard_percent // 100
    told = talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)
    assert told[0]["audio_end_ms"] == heard_ms
    remembered = known(talk)[0]
    assert SENTENCE.startswith(remembered)
    assert len(remembered) <= len(SENTENCE) * heard_percent / 100
    assert len(remembered) >= len(SENTENCE) * heard_percent / 100 - 8
    retrieved = talk.send("conversation.item.retrieve", item_id=item_id)[0]["item"]
    assert retrieved["content"][0]["transcript"] is None


def test_an_answer_truncated_at_its_very_end_was_heard_whole() -> None:
    talk, item_id, length_ms = answered()
    talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=length_ms)
    assert known(talk) == [SENTENCE]


def test_beyond_its_length_nothing_is_truncated() -> None:
    talk, item_id, length_ms = answered()
    refused = talk.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=length_ms + 1
    )
    assert talk.error(refused)["message"] == (
        f"Audio content of {length_ms}ms is already shorter than {length_ms + 1}ms"
    )
    assert known(talk) == [SENTENCE]


def test_what_has_no_audio_cannot_be_truncated() -> None:
    talk = Talk(Scripted([Say(SENTENCE)]), Timing(), mute=True).on_the_telephone()
    talk.types("words restored", role="assistant")
    talk.types("words of the caller")
    talk.send("response.create")
    unvoiced = talk.last("response.output_item.added")["item"]["id"]
    items = [event["item"]["id"] for event in talk.of("conversation.item.done")]
    for item_id in (*items, unvoiced):
        refused = talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
        error = talk.error(refused)
        assert (error["code"], error["message"]) == (
            "unsupported_content_type", "Only model output audio messages can be truncated",
        )  # fmt: skip


def test_a_cancelled_answer_is_remembered_as_far_as_its_sound_left() -> None:
    talk = Talk(Scripted([Say(SENTENCE)])).on_the_telephone()
    talk.send("response.create")
    talk.passes(100)
    talk.send("response.cancel")
    sent_ms = len(talk.sound()) // 8
    length_ms = len(SENTENCE) * 60
    assert SENTENCE.startswith(known(talk)[0])
    assert len(known(talk)[0]) == pytest.approx(len(SENTENCE) * sent_ms / length_ms, abs=8)


def test_a_conversation_restored_from_text_is_known_to_the_mind() -> None:
    mind = Scripted()
    talk = Talk(mind).on_the_telephone()
    talk.types("There is water.")
    talk.types("Where are you?", role="assistant")
    talk.types("Continue, do not greet.", role="system")
    talk.respond()
    assert [item.json()["role"] for item in mind.asked[0].items] == ["user", "assistant", "system"]


def test_sound_in_an_item_is_listened_to() -> None:

    mind = Scripted()
    talk = Talk(mind).on_the_telephone()
    content = [{"type": "input_audio", "audio": wire(modem.speak("water"))}]
    talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    talk.respond()
    assert known(talk)[0] == "water"
