"""The scenes of the demo: what the people do, what is done to the machines, and what must then be so."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rung.demo import company
from rung.demo.stage import Stage, WentWrongError
from workflows.emergency import Phase
from workflows.messages import CallOutcome, EscalationOutcome
from workflows.voice import Speaker


@dataclass(frozen=True)
class Ending:
    """How it came out."""

    closed: CallOutcome
    escalation: EscalationOutcome | None


@dataclass(frozen=True)
class Scene:
    """One scene. spoken: with sound and a speech model. town: the file that says what phones do by themselves.
    night: the owner's file.

    play: what people do by hand. must: statements about the ending, each true or false. waits: for the escalation too.
    in_tones: always without the model, whose voice and ears are not good enough for it.
    """

    title: str
    town: str
    play: Callable[[Stage], Awaitable[None]]
    must: Callable[[Ending], Mapping[str, bool]]
    spoken: bool = True
    waits: bool = False
    night: str = "night.yaml"
    in_tones: bool = False

    def check(self, ending: Ending) -> None:
        """Raises WentWrongError unless it ended as it must."""
        wrong = [fact for fact, true in self.must(ending).items() if not true]
        if wrong:
            raise WentWrongError(f"not so: {'; '.join(wrong)}")


# The caller's part, in the order of what the AI asks; a pattern of its words, and the answer.
ANSWERS = (
    (r"is that right", "Yes, that is right."),
    (r"what has happened", "There is water coming through the ceiling."),
    (r"where are you|address", "412 Oak Street, apartment 7."),
    (r"on which number|reach you", "This number is fine."),
)
PATIENCE_S = 100.0


async def _converses(
    stage: Stage, until: str = "placing the call", answers: tuple[tuple[str, str], ...] = ANSWERS
) -> None:
    """Answer whatever the AI asks, until it has said these words."""
    heard = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            said = await stage.turns()
            new, heard = said[heard:], len(said)
            asked = [
                turn
                for turn in new
                if turn.speaker is Speaker.ASSISTANT and turn.whole and not turn.whispered
            ]
            if any(until.lower() in turn.text.lower() for turn in asked):
                return
            for turn in asked[-1:]:
                answer = next(
                    (words for asks, words in answers if re.search(asks, turn.text, re.IGNORECASE)), None
                )
                if answer is not None:
                    await stage.say(answer)
            await asyncio.sleep(0.25)


async def _night(stage: Stage) -> None:
    """Nobody answers, a voicemail does and does not count, one declines, one takes it and is coached."""
    await stage.dial()
    await _converses(stage)
    dee = await stage.enters_the_room("dee")
    briefed = await stage.hears("dee:", speaker=Speaker.ASSISTANT)
    await stage.say("Hello, this is Dee. Where is the water coming from?", dee)
    await asyncio.sleep(5)
    await stage.say("From the bathroom above, I think.")
    await asyncio.sleep(4)
    await stage.say("Assistant, what is the address?", dee)
    await stage.hears("oak street", after=briefed)
    await stage.press("*", dee)
    await asyncio.sleep(3)
    await stage.press("1", dee)
    await asyncio.sleep(6)
    await stage.hang_up(dee)
    await stage.hang_up()


def _night_must(ending: Ending) -> Mapping[str, bool]:
    outcome = ending.escalation
    woken = [page.responder.id for page in outcome.pages] if outcome else []
    declined = [page.responder.id for page in outcome.pages if page.declined] if outcome else []
    return {
        "resolved": outcome is not None and outcome.phase is Phase.RESOLVED,
        "taken by dee": outcome is not None and outcome.owner == "dee",
        "declined by cleo alone": declined == ["cleo"],
        "ana, ben, cleo and dee woken, in that order, and nobody else": woken
        == ["ana", "ben", "cleo", "dee"],
        "the call closed as escalated": ending.closed.closing == "escalated",
    }


async def _keys(stage: Stage) -> None:
    """The same by key presses: what is left when there is no speech model."""
    await stage.dial([{"wait": 4}, {"press": "1"}, {"wait": 3}, {"press": "1"}])


async def _barge_in(stage: Stage) -> None:
    """The caller interrupts the greeting, and the AI listens at once."""
    await stage.dial()
    await stage.happens("stream.started")
    await asyncio.sleep(3)
    await stage.say("There is water coming through the ceiling!")
    await _converses(stage, until="passing this on")
    await stage.say("Please hurry. Goodbye.")
    await asyncio.sleep(3)
    await stage.hang_up()


def _escalated(ending: Ending) -> Mapping[str, bool]:
    return {"the call closed as escalated": ending.closed.closing == "escalated"}


async def _model_down(stage: Stage) -> None:
    """The speech model refuses from the start: the caller gets the menu, and reports by key."""
    await stage.fault(kind="refuse", code=503)
    await stage.dial([{"wait_for": "press 1"}, {"wait": 1}, {"press": "1"}, {"wait": 3}, {"press": "1"}])
    dee = await stage.enters_the_room("dee")
    await asyncio.sleep(3)
    await stage.hang_up(dee)
    await stage.hang_up()


async def _bridge_killed(stage: Stage) -> None:
    """The process that carries the sound is killed in the middle; another goes on in the same conversation."""
    await stage.dial()
    await stage.hears("what has happened")
    await stage.say("There is water coming through the ceiling.")
    await asyncio.sleep(2)
    stage.kill("bridge")
    await _converses(stage, until="passing this on")
    await stage.say("Thank you. Goodbye.")
    await asyncio.sleep(3)
    await stage.hang_up()


async def _two_ais(stage: Stage) -> None:
    """A coach and a note-taker in one room, and private talk without either."""
    await stage.dial()
    await _converses(stage)
    await company.two_ais(stage, await stage.enters_the_room("dee"))


async def _interpreter(stage: Stage) -> None:
    """A caller who speaks Spanish, a responder who does not, and an AI between them whom both hear."""
    await stage.dial(line_id="casa")
    await _converses(stage, until="persona de guardia", answers=company.RESPUESTAS)
    await company.interpreter(stage, await stage.enters_the_room("dee"))


SCENES: Mapping[str, Scene] = {
    "night": Scene("a night, spoken", "spoken.yaml", _night, _night_must, waits=True),
    "keys": Scene(
        "the same night by keys, without a speech model",
        "town.yaml",
        _keys,
        _night_must,
        spoken=False,
        waits=True,
    ),
    "barge-in": Scene("the caller interrupts", "spoken.yaml", _barge_in, _escalated),
    "model-down": Scene("the speech model is down", "spoken.yaml", _model_down, _escalated),
    "bridge-killed": Scene("the bridge is killed", "spoken.yaml", _bridge_killed, _escalated),
    "two-ais": Scene(
        "a coach and a note-taker, and private talk",
        "company.town.yaml",
        _two_ais,
        _escalated,
        night="company.yaml",
    ),
    "interpreter": Scene(
        "caller and responder speak different languages",
        "interpreter.town.yaml",
        _interpreter,
        _escalated,
        night="company.yaml",
        in_tones=True,
    ),
}
