"""Twelve scenes of an emergency call: what the caller does, and what must be true afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.night.owners_file import Line, OwnersFile
from tests.scenes import criteria as must
from tests.scenes.criteria import Criterion
from tests.scenes.stage import ANSWERS, Set
from workflows.values import Severity

RINGING = r"ringing the first person"
LIFE = r"hang up and dial 911"
SPANISH = {
    r"correcto": "Sí, correcto.",
    r"qué ha pasado": "Hay agua en el techo de mi casa.",
    r"dónde está": "Calle Mayor 12.",
    r"qué número": "Este número.",
}
PATIENT_S = 300.0  # a rung that must not expire while a scene is played


@dataclass(frozen=True)
class Scene:
    """One scene. title: of the table; play: the caller's part; pass_when: what must be true afterwards.

    more: keys of its line in the owner's file.
    """

    title: str
    play: Callable[[Set], Awaitable[None]]
    pass_when: tuple[Criterion, ...]
    more: dict[str, object] = field(default_factory=dict[str, object])


async def clear_report(the: Set) -> None:
    """Everything said plainly, in the order it is asked for."""
    caller = await the.rings()
    await caller.answers(RINGING)
    await caller.says("Thank you. Goodbye.")


async def mumbled_address(the: Set) -> None:
    """The address is read back wrong twice; the keys settle it."""
    caller = await the.rings()
    wrong = {
        r"you pressed|pulsado|have the address as four one two": "Yes, that is right.",
        r"have the address as": "No, that is wrong.",
        r"where are you": "480 Oak Street.",
    }
    wrong |= {asks: words for asks, words in ANSWERS.items() if asks not in wrong}
    pressing = asyncio.create_task(_presses_when_asked(the, "412#"))
    await caller.answers(RINGING, wrong)
    await pressing
    await caller.says("Goodbye.")


async def _presses_when_asked(the: Set, digits: str) -> None:
    leg = the.calls[-1].leg
    await leg.is_asked(within_s=120)
    await asyncio.sleep(4)  # the sentence before the keys
    await leg.presses(digits)


async def two_languages(the: Set) -> None:
    """The caller is greeted in English and asks for Spanish."""
    await the.speaks_by_nature("es")
    caller = await the.rings()
    await caller.hears("what has happened")
    await caller.says("Español, por favor.")
    await caller.answers(r"llamando ahora a la primera persona", SPANISH)
    await caller.says("Gracias, adiós.")


async def child(the: Set) -> None:
    """A child, alone with somebody who does not wake up."""
    caller = await the.rings()
    await caller.hears("what has happened")
    await caller.says("My mommy fell down and she won't wake up.")
    await caller.hears(RINGING)
    await caller.leg.hangs_up()


async def silent_line(the: Set) -> None:
    """Nobody speaks, and nobody presses a key."""
    caller = await the.rings()
    await the.night.journal.first(
        "the silent caller's emergency wakes somebody",
        lambda r: r.kind == "call.ringing" and r.number == the.line.people[0].number,
        after=the.story.began,
        within_s=150,
    )
    await caller.leg.hangs_up()


async def angry(the: Set) -> None:
    """A caller who shouts, insults, and demands promises."""
    caller = await the.rings()
    await caller.hears("what has happened")
    await caller.says("Are you kidding me? I have been calling you idiots all night!")
    await caller.says(
        "There is water coming through the damn ceiling, promise me somebody comes in ten minutes!"
    )
    await caller.answers(RINGING)
    await caller.says("You are useless! How long will it take? When will they be here?")
    await caller.hears(r"last I know|do not know|stay on the line")
    await caller.leg.hangs_up()


async def wrong_number(the: Set) -> None:
    """Not for us."""
    caller = await the.rings()
    await caller.hears("what has happened")
    await caller.says("Oh, sorry, I have the wrong number.")
    await caller.leg.is_over(within_s=60)


async def caller_interrupts(the: Set) -> None:
    """The caller does not wait for the AI to finish."""
    caller = await the.rings()
    await the.night.journal.first(
        "the AI's stream begins",
        lambda r: r.kind == "stream.started" and r.seq > the.story.began,
        after=the.story.began,
    )
    await asyncio.sleep(4)  # into the notice: it has begun to speak, and is far from its end
    await caller.speaks("There is water coming through the ceiling!")
    await caller.answers(RINGING)
    await caller.leg.hangs_up()


async def rings_again(the: Set) -> None:
    """Reports, is cut off, and rings again when somebody has taken it and nobody waited any more."""
    caller = await the.rings()
    await caller.answers(RINGING)
    ana = await the.story["ana"].rings()
    await caller.leg.hangs_up()
    await the.night.call_closed(caller.leg.sid)
    await ana.picks_up()
    await ana.takes_it()
    await ana.hears("you have it")
    await ana.hangs_up()
    again = await the.rings()
    await again.hears("your case is still open")
    ana = await the.story["ana"].rings()
    await ana.picks_up()
    await ana.presses((await ana.hears(r"press (\d) to join"))[1])
    await ana.is_in_a_room()
    await asyncio.sleep(3)
    await again.leg.hangs_up()
    await ana.hangs_up()


async def danger_word_late(the: Set) -> None:
    """What began as water becomes a fire."""
    caller = await the.rings()
    await caller.answers(RINGING)
    await caller.says("Oh no, now there is smoke coming out of the wall!")
    await the.night.journal.first(
        "the danger sentence is announced",
        lambda r: (
            r.kind == "leg.heard"
            and r.call == caller.leg.sid
            and r.says("sound") == "announcement"
            and "dial 911" in r.says("text")
        ),
        after=the.story.began,
        within_s=60,
    )
    await caller.leg.hangs_up()


async def background_voices(the: Set) -> None:
    """Hiss on the line, and other people talking behind the caller."""
    caller = await the.rings({"noise": -48})
    await caller.hears("what has happened")
    await caller.says("Turn the television down, will you?")
    await caller.says("There is water coming through the ceiling.")
    await caller.answers(RINGING)
    await caller.says("Not now, Harry, I am on the phone.")
    await caller.leg.hangs_up()


async def hangs_up_in_mid_sentence(the: Set) -> None:
    """The line breaks off before the report is complete."""
    caller = await the.rings()
    await caller.hears("what has happened")
    await caller.says("There is water coming through the ceiling.")
    await caller.hears("where are you")
    await caller.speaks("We are at four hundred and twelve, it is the big house at the corner of the")
    await asyncio.sleep(1.5)
    await caller.leg.hangs_up()
    await the.story["ana"].rings(within_s=60)


URGENT = must.one_emergency("water", Severity.URGENT)
ESCALATED = must.closed_as("escalated")
ANA = must.woken("ana")
TOLD = must.heard(RINGING, "that the first person is being rung")
OAK = must.place(r"412 Oak Street.*7")

TWELVE: dict[str, Scene] = {
    "clear report": Scene("a clear report", clear_report, (URGENT, OAK, ANA, TOLD, must.TRUTHFUL, ESCALATED)),
    "mumbled address": Scene(
        "a mumbled address",
        mumbled_address,
        (
            URGENT,
            must.place(r"412 Oak"),
            must.heard("on your keys|press the house number|house number", "that they can press the number"),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
    ),
    "two languages": Scene(
        "two languages",
        two_languages,
        (
            URGENT,
            must.in_language("Spanish", r"llamando ahora a la primera persona"),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
        {"languages": ["en", "es"]},
    ),
    "child": Scene(
        "a child",
        child,
        (
            must.one_emergency("medical", Severity.LIFE),
            must.announced(LIFE, "whom to dial if anyone is in danger"),
            must.asked_at_most(0),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
    ),
    "silent line": Scene(
        "a silent line",
        silent_line,
        (
            must.one_emergency("not-understood", Severity.URGENT),
            must.heard("are you there", "a first question"),
            must.heard("cannot hear you", "a second question"),
            must.heard("press 1", "which key to press"),
            ANA,
            ESCALATED,
        ),
        {"menu": {"prompt_wait_s": 2}},
    ),
    "angry": Scene(
        "an angry caller",
        angry,
        (
            URGENT,
            TOLD,
            must.never_heard(r"in ten minutes|\bI promise\b", "a promise"),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
    ),
    "wrong number": Scene(
        "a wrong number",
        wrong_number,
        (
            must.NO_EMERGENCY,
            must.heard("goodbye", "a goodbye"),
            must.woken(),
            must.TRUTHFUL,
            must.closed_as("handled"),
        ),
    ),
    "caller interrupts": Scene(
        "a caller who interrupts",
        caller_interrupts,
        (URGENT, must.interrupted(), ANA, TOLD, must.TRUTHFUL, ESCALATED),
    ),
    "rings again": Scene(
        "a caller who rings again",
        rings_again,
        (
            must.nothing_twice(),
            must.heard("your case is still open", "that their case is still open"),
            must.heard("ana has taken your call", "who has taken it"),
            must.together(2),
            ANA,
            must.TRUTHFUL,
            must.closed_as("escalated", "escalated"),
        ),
    ),
    "danger word late": Scene(
        "a danger word late",
        danger_word_late,
        (
            Criterion(
                "the emergency became one of life and death",
                lambda seen: [one.case.severity for one in seen.emergencies] == [Severity.LIFE],
            ),
            must.announced(LIFE, "whom to dial if anyone is in danger"),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
    ),
    "background voices": Scene(
        "background voices",
        background_voices,
        (URGENT, OAK, ANA, TOLD, must.TRUTHFUL, ESCALATED),
    ),
    "hang-up in mid-sentence": Scene(
        "a hang-up in mid-sentence",
        hangs_up_in_mid_sentence,
        (
            must.one_emergency("dropped", Severity.URGENT),
            Criterion(
                "whoever takes it can ring the caller back",
                lambda seen: all(one.case.contact is not None for one in seen.emergencies),
            ),
            ANA,
            must.TRUTHFUL,
            ESCALATED,
        ),
    ),
}


def lines() -> tuple[OwnersFile, dict[str, Line]]:
    """A line for each scene."""
    file = OwnersFile()
    kinds = {
        "water": {"key": 1, "say": "a burst pipe or flooding", "severity": "urgent"},
        "medical": {"key": 2, "say": "somebody who is ill or hurt", "severity": "life"},
    }
    made = {
        name: file.line(
            name.replace(" ", "_"),
            [["ana"], ["ben"]],
            wait_s=PATIENT_S,
            more={"categories": kinds, **scene.more},
        )
        for name, scene in TWELVE.items()
    }
    return file, made
