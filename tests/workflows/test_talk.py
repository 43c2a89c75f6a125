"""The conversation with the AI: what is said is read, what it asks for is answered, and nothing twice."""

import json
from datetime import timedelta

import pytest

from tests.workflows.night import NIGHT
from workflows import tools
from workflows.agents import Agent, AgentId, Kind, Speech
from workflows.assistant import Role
from workflows.talk import (
    OTHER,
    TURNS_BYTES,
    TURNS_KEPT,
    AgentChanged,
    DangerHeard,
    FactHeard,
    FalselyClaimed,
    Heard,
    KeepMessage,
    NoteKept,
    Report,
    SendForKeys,
    Standing,
    Talk,
    Used,
    brief,
    outcome_of,
    remembered,
    said,
    used,
)
from workflows.tools import ToolRefusedError, offered, understood
from workflows.truth import Claim, Known
from workflows.values import Severity
from workflows.voice import Speaker, ToolOutcome, Turn

TRIAGE = Agent(AgentId("triage"), "the assistant", hands_over_to=(AgentId("plumbing"),))
PLUMBING = Agent(AgentId("plumbing"), "the plumbing desk", tools=("note", "take_message"))
SPEECH = Speech(
    agents=(TRIAGE, PLUMBING),
    kinds=(
        Kind("water", "a burst pipe", Severity.URGENT),
        Kind("medical", "a medical emergency", Severity.LIFE),
    ),
    greeting="You have reached the night line. What has happened?",
)
PEOPLE_ARE_RUNG = Standing(escalated=True, severity=Severity.URGENT, state="The first person is being rung.")


def turn(speaker: Speaker, text: str, *, fact: str | None = None, whispered: bool = False) -> Turn:
    return Turn(speaker, text, NIGHT, fact=fact, whispered=whispered)


def hears(talk: Talk, *turns: Turn, first: int = 0, generation: int = 1) -> tuple[Talk, tuple[Heard, ...]]:
    return said(talk, generation, first, turns, SPEECH, Known(), NIGHT)


def asks(
    tool: str, talk: Talk | None = None, standing: Standing | None = None, /, **arguments: object
) -> Used:
    role = Role.COACH if Role.ANSWERING not in tools.TOOLS[tool].roles else Role.ANSWERING
    use = understood(tool, json.dumps(arguments), role)
    return used(talk or Talk(), use, SPEECH, standing or Standing(), NIGHT)


# What is said


def test_words_of_danger_from_the_caller_are_told_once() -> None:
    talk, news = hears(
        Talk(), turn(Speaker.CALLER, "I smell gas!"), turn(Speaker.CALLER, "and there is smoke")
    )
    assert news == (DangerHeard("smell gas"),)
    assert talk.danger == "smell gas"


def test_what_the_ai_or_a_responder_says_is_no_danger() -> None:
    _, news = hears(
        Talk(), turn(Speaker.ASSISTANT, "Do you smell gas?"), turn(Speaker.RESPONDER, "Is there smoke?")
    )
    assert news == ()


def test_a_false_claim_is_found_in_the_ais_own_words_only() -> None:
    _, news = hears(
        Talk(),
        turn(Speaker.CALLER, "Somebody is coming, right?"),
        turn(Speaker.ASSISTANT, "Yes, help is on the way."),
    )
    assert news == (FalselyClaimed((Claim.COMING,), whispered=False),)


def test_a_fact_that_the_ai_was_given_is_no_claim_of_its_own() -> None:
    _, news = hears(Talk(), turn(Speaker.ASSISTANT, "Ana has taken your call and is joining now.", fact="f1"))
    assert news == (FactHeard("f1"),)


def test_a_batch_that_is_sent_again_changes_nothing() -> None:
    batch = (turn(Speaker.CALLER, "hello"), turn(Speaker.CALLER, "is anybody there"))
    talk, _ = hears(Talk(), *batch)
    again, news = hears(talk, *batch)
    assert (again, news) == (talk, ())


def test_a_batch_that_overlaps_brings_what_is_new() -> None:
    talk, _ = hears(Talk(), turn(Speaker.CALLER, "one"))
    talk, _ = hears(talk, turn(Speaker.CALLER, "one"), turn(Speaker.CALLER, "two"))
    talk, _ = hears(talk, turn(Speaker.CALLER, "three"), first=2)
    assert [one.text for one in talk.turns] == ["one", "two", "three"]


def test_a_new_leg_numbers_its_turns_anew_and_an_old_one_is_not_heard_any_more() -> None:
    talk, _ = hears(Talk(), turn(Speaker.CALLER, "one"))
    talk, _ = hears(talk, turn(Speaker.CALLER, "two"), generation=2)
    talk, _ = hears(talk, turn(Speaker.CALLER, "late"), first=1, generation=1)
    assert [one.text for one in talk.turns] == ["one", "two"]


def test_the_last_turns_are_kept_within_both_bounds() -> None:
    talk, _ = hears(Talk(), *(turn(Speaker.CALLER, f"word {n}") for n in range(100)))
    assert [one.text for one in talk.turns] == [f"word {n}" for n in range(100 - TURNS_KEPT, 100)]
    talk, _ = hears(talk, *(turn(Speaker.CALLER, "x" * 3000) for _ in range(30)), first=100)
    assert sum(len(one.text) for one in talk.turns) <= TURNS_BYTES


# Tools


def test_an_escalation_names_the_kind_in_words_that_a_page_may_carry() -> None:
    talk, wanted, outcome = asks(
        "escalate", category="water", severity="urgent", reason="ceiling, flat 7", place="412 Oak Street"
    )
    assert wanted == (Report("water", "a burst pipe", Severity.URGENT),)
    assert talk.place == "412 Oak Street"
    assert "Do not say that anybody comes" in outcome.output


def test_a_kind_is_never_taken_for_less_severe_than_the_owner_says() -> None:
    _, wanted, _ = asks("escalate", category="medical", severity="routine", reason="fell")
    assert wanted == (Report("medical", "a medical emergency", Severity.LIFE),)


def test_an_emergency_is_never_refused_for_its_name() -> None:
    _, wanted, _ = asks("escalate", category="dragons at Mrs Miller's", severity="urgent", reason="dragons")
    assert wanted == (Report(OTHER, "an emergency", Severity.URGENT),)


def test_the_same_emergency_escalated_twice_wakes_nobody_twice() -> None:
    _, wanted, outcome = asks(
        "escalate", None, PEOPLE_ARE_RUNG, category="water", severity="urgent", reason="still wet"
    )
    assert wanted == ()
    assert PEOPLE_ARE_RUNG.state in outcome.output


def test_what_turns_out_worse_is_reported_as_worse() -> None:
    _, wanted, _ = asks(
        "escalate", None, PEOPLE_ARE_RUNG, category="medical", severity="life", reason="he fell"
    )
    assert wanted == (Report("medical", "a medical emergency", Severity.LIFE),)


def test_the_ai_may_not_end_the_call_while_people_are_being_woken() -> None:
    talk, _, outcome = asks("end_call", None, PEOPLE_ARE_RUNG)
    assert talk.leaving_at is None
    assert outcome.output.startswith("Not now")


def test_a_caller_who_has_said_goodbye_may_go() -> None:
    talk, _ = hears(Talk(), turn(Speaker.CALLER, "Okay. Thank you, goodbye."))
    talk, _, _ = asks("end_call", talk, PEOPLE_ARE_RUNG)
    assert talk.leaving_at is not None
    assert talk.leaving_at > NIGHT + timedelta(seconds=1)


def test_the_ai_never_ends_a_call_that_a_person_is_in() -> None:
    talk, _ = hears(Talk(), turn(Speaker.ROOM, "bye"))
    talk, _, outcome = asks("end_call", talk, Standing(with_human=True))
    assert talk.leaving_at is None
    assert not outcome.speak


def test_a_message_is_kept_with_the_number_that_is_known() -> None:
    talk, _, _ = asks("set_contact", call_back="+1 202 555 0142", name="Maria")
    _, wanted, _ = asks("take_message", talk, text="the bin lid is broken")
    assert wanted == (KeepMessage("the bin lid is broken", "Maria", "+12025550142"),)


def test_words_are_no_number_to_call_back() -> None:
    talk, _, outcome = asks("set_contact", call_back="the one I am calling from")
    assert talk.contact == ""
    assert "no telephone number" in outcome.output


def test_digits_are_asked_for_and_the_ai_is_silent_meanwhile() -> None:
    _, wanted, outcome = asks("ask_for_keys", purpose="call_back")
    assert wanted == (SendForKeys("call_back"),)
    assert not outcome.speak


def test_another_agent_goes_on_with_what_was_said() -> None:
    talk, _ = hears(Talk(), turn(Speaker.CALLER, "the tap drips"))
    talk, wanted, outcome = asks("hand_over", talk, agent="plumbing")
    assert (talk.agent, wanted) == (PLUMBING.id, (AgentChanged(),))
    assert talk.turns[0].text == "the tap drips"
    assert "the plumbing desk" in outcome.output


def test_there_is_no_handing_over_to_who_is_not_there() -> None:
    talk, wanted, outcome = asks("hand_over", agent="astrology")
    assert (talk.agent, wanted) == (None, ())
    assert "plumbing" in outcome.output


def test_a_note_is_kept_with_the_case_and_found_again() -> None:
    talk, wanted, _ = asks("note", text="main valve closed")
    assert wanted == (NoteKept("main valve closed"),)
    _, _, outcome = asks("look_up", talk, question="what about the valve?")
    assert "main valve closed" in outcome.output


def test_what_was_never_said_is_not_found() -> None:
    _, _, outcome = asks("look_up", question="which insurance?")
    assert outcome.output == "Nothing was said about it in this call."


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("resolve", {}),
        ("set_eta", {"minutes": 20}),
        ("assign", {"person": "Ben"}),
        ("call_in", {"person": "Ben"}),
    ],
)
def test_an_act_in_a_humans_name_is_only_proposed(tool: str, arguments: dict[str, object]) -> None:
    talk, wanted, outcome = asks(tool, None, None, **arguments)
    assert (talk, wanted) == (Talk(), ())
    assert "confirm" in outcome.output


def test_a_tool_call_has_one_outcome_however_often_it_is_made() -> None:
    talk = remembered(Talk(), "call_1", ToolOutcome(output="Kept."))
    assert outcome_of(talk, "call_1") == ToolOutcome(output="Kept.")
    assert outcome_of(talk, "call_2") is None


def test_the_brief_has_the_facts_and_nothing_else() -> None:
    talk, _, _ = asks("escalate", category="water", severity="urgent", reason="burst pipe", place="Oak St 4")
    assert brief(talk, Standing(caller_number="+12025550199")) == (
        "What: burst pipe\nWhere: Oak St 4\nCall-back number: +12025550199"
    )


# What the model is told of its tools


def test_a_tool_that_is_not_there_or_not_in_this_role_is_named_and_refused() -> None:
    with pytest.raises(ToolRefusedError, match=r"no tool 'launch'.*escalate"):
        understood("launch", "{}", Role.ANSWERING)
    with pytest.raises(ToolRefusedError, match="no tool 'escalate'"):
        understood("escalate", "{}", Role.COACH)


@pytest.mark.parametrize(
    "arguments", ["", "null", "[]", "{", '{"category": 7}', '{"category": "water", "x": 1}']
)
def test_arguments_that_are_not_valid_are_refused_with_the_reason(arguments: str) -> None:
    with pytest.raises(ToolRefusedError, match="Not understood: "):
        understood("escalate", arguments, Role.ANSWERING)


def test_an_agent_has_its_tools_and_always_those_that_save_lives() -> None:
    mine = {tool.name for tool in offered(SPEECH, "plumbing", Role.ANSWERING)}
    assert mine == {"take_message", "escalate", "emergency_called", "not_understood"}
    assert {tool.name for tool in offered(SPEECH, "plumbing", Role.COACH)} == {"note"}


def test_the_model_is_told_the_kinds_of_this_line() -> None:
    escalate = next(tool for tool in offered(SPEECH, "triage", Role.ANSWERING) if tool.name == "escalate")
    schema = json.loads(escalate.parameters)
    assert schema["properties"]["category"]["enum"] == ["water", "medical"]
    assert schema["properties"]["severity"]["enum"] == ["life", "urgent", "routine"]
    assert schema["required"] == ["category", "severity", "reason"]
