"""As coach: the brief, answers from the conversation, notes and proposals; otherwise silent."""

import pytest

from tests.speech.dialogue.night import AS_COACH, BRIEF, NOTE, Night


def coaching(*, brief: str = "") -> Night:
    """Ana has joined after a whole report."""
    night = Night().reported()
    night.says("Five five five, zero one four two.")
    night.says("Yes.")
    night.gives_back(ok=True)
    night.tools = AS_COACH
    night.told("You are now the coach of Ana Alvarez." + (f"\nBrief: {brief}" if brief else ""))
    return night


def test_the_brief_that_was_given_is_said_first() -> None:
    night = coaching(brief="Water at 412 Oak Street, the caller waits.")
    assert night.answers() == "Water at 412 Oak Street, the caller waits."
    assert night.answers() == "", "once"


def test_a_brief_is_fetched_where_there_is_a_tool_for_it() -> None:
    night = coaching()
    night.answers()
    assert night.called == ["brief"]
    assert night.gives_back(say="Burst pipe, 412 Oak Street.") == "Burst pipe, 412 Oak Street."


def test_without_either_it_says_what_it_has_understood() -> None:
    night = coaching()
    night.tools = ()
    assert night.answers() == (
        "The caller reports: Water is coming through the ceiling. The address is four one two Oak Street, apartment"
        " seven. The call-back number is five five five zero one four two."
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What's the address?", "The address is four one two Oak Street, apartment seven."),
        ("What was the call back number?", "The call-back number is five five five zero one four two."),
        ("What happened?", "The caller said: Water is coming through the ceiling."),
        ("What has been done?", "I do not know that."),
    ],
)
def test_questions_are_answered_from_the_conversation(question: str, answer: str) -> None:
    night = coaching(brief="x")
    night.answers()
    assert night.says(question) == answer


def test_it_does_not_invent_an_address() -> None:
    night = Night(BRIEF)
    night.says("Water is coming through the ceiling.")
    night.told("You are now the coach of Ana.")
    night.answers()
    assert night.says("What is the address?") == "I do not know that."


@pytest.mark.parametrize(
    ("said", "tool", "arguments"),
    [
        ("I will be there in twenty minutes.", "set_eta", {"minutes": 20}),
        ("It's fixed, you can close it.", "resolve", {"note": "it's fixed you can close it"}),
        ("Assign it to Ben please.", "assign", {"person": "ben"}),
        ("We need to call in the electrician.", "call_in", {"person": "electrician"}),
        ("Look up the shut-off valve.", "look_up", {"query": "the shut off valve"}),
        ("Note that the valve is stuck.", "note", {"text": "the valve is stuck"}),
        ("The water comes from the flat above.", "note", {"text": "The water comes from the flat above."}),
    ],
)
def test_what_humans_say_is_proposed_looked_up_or_noted(said: str, tool: str, arguments: object) -> None:
    night = coaching(brief="x")
    night.answers()
    assert night.says(said) == ""
    assert night.used[-1] == (tool, arguments)


def test_small_talk_is_neither_answered_nor_noted() -> None:
    night = coaching(brief="x")
    night.answers()
    assert night.says("Okay, thanks.") == ""
    assert night.called == []


def test_what_was_looked_up_is_told() -> None:
    night = coaching(brief="x")
    night.answers()
    night.says("Look up the shut-off valve.")
    assert (
        night.gives_back(say="In the basement, left of the stairs.") == "In the basement, left of the stairs."
    )


def test_a_note_that_was_taken_is_not_talked_about() -> None:
    night = coaching(brief="x")
    night.answers()
    night.says("Note that the valve is stuck.")
    assert night.gives_back(ok=True) == ""


def test_new_danger_is_whispered() -> None:
    night = coaching(brief="x")
    night.answers()
    assert night.says("I smell gas now!") == "Listen: the caller said: I smell gas now!"


def test_silent_it_says_and_does_nothing_but_what_it_is_ordered_to() -> None:
    night = coaching()
    night.told("You are now silent.")
    assert night.says("What is the address?") == ""
    assert night.called == []
    night.told('Say exactly this and nothing else: "Ana has left the call."')
    assert night.answers() == "Ana has left the call."


def test_back_with_the_caller_it_keeps_company_again() -> None:
    night = coaching()
    night.answers()
    night.tools = (NOTE,)
    night.told("You are now with the caller.")
    assert night.says("Are you still there? I am scared.")


def test_another_coached_human_gets_the_brief_again() -> None:
    night = coaching(brief="Water at 412 Oak Street.")
    night.answers()
    night.told("You are now the coach of Ben.")
    assert night.answers() == "Water at 412 Oak Street."


def test_the_role_may_stand_in_the_instructions() -> None:
    night = Night(instructions="You are now the coach of Ana.\nBrief: Water at 412 Oak Street.")
    assert night.begins() == "Water at 412 Oak Street."
