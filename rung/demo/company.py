"""The scenes with two AIs in one room: a coach and a note-taker, and private talk; a coach and an interpreter."""

import asyncio

from rung.demo.stage import Stage, WentWrongError
from workflows.assistant import Post
from workflows.room_acts import RoomActKind
from workflows.values import CallSid
from workflows.voice import Speaker

SECRET = "Between the two of us, the key is under the stone."  # noqa: S105  # what no AI shall hear

# The caller's part on the Spanish line, in the order of what the AI asks.
RESPUESTAS = (
    (r"es correcto", "Sí, es correcto."),
    (r"qué ha pasado", "El agua cae por el techo."),
    (r"dónde está usted|la calle", "Calle Mayor 412, piso 2."),
    (r"localizar", "Este número."),
)


async def two_ais(stage: Stage, dee: CallSid) -> None:
    """Dee is coached, notes are taken by another AI, and for a while there is none."""
    await stage.hears("dee:")
    await stage.acts(RoomActKind.BRING, "notes")
    await stage.sits(Post.NOTES)
    await stage.say("Hello, this is Dee. Where is the water coming from?", dee)
    await asyncio.sleep(5)
    await stage.say("It comes from the bathroom above.")
    await stage.noted("bathroom above")
    await stage.say("Then please close the main valve in the cellar.", dee)
    await stage.noted("main valve")
    await stage.acts(RoomActKind.HOLD, "ais")
    await stage.say(SECRET, dee)
    await asyncio.sleep(8)
    await stage.acts(RoomActKind.UNHOLD, "ais")
    before = len(await stage.turns())
    await asyncio.sleep(2)
    await stage.say("Assistant, what is the address?", dee)
    await stage.hears("oak street", after=before)
    view = await stage.conversation()
    heard = [turn.text for turn in view.turns] + list(view.notes)
    if any("stone" in words.lower() for words in heard):
        raise WentWrongError("an AI has heard what was said in private")
    await _goodbye(stage, dee)


async def interpreter(stage: Stage, dee: CallSid) -> None:
    """The caller speaks Spanish, Dee speaks English, and each hears the other's words in their own."""
    await stage.sits(Post.INTERPRETER)
    after = await stage.hears("I interpret for you", speaker=Speaker.INTERPRETER)
    for words, whose, other in (
        ("Where is the water coming from?", dee, "De dónde viene el agua"),
        ("Viene del baño de arriba.", None, "It comes from the bathroom above"),
        ("I will be there in twenty minutes.", dee, "Estaré allí en veinte minutos"),
        ("El gato del vecino canta muy bien.", None, "I could not translate that"),
    ):
        await asyncio.sleep(1)
        await stage.say(words, whose)
        after = await stage.hears(other, speaker=Speaker.INTERPRETER, after=after)
    await asyncio.sleep(3)
    await _goodbye(stage, dee)


async def _goodbye(stage: Stage, dee: CallSid) -> None:
    """Dee resolves it at her keys, and everybody hangs up."""
    await stage.press("*", dee)
    await asyncio.sleep(3)
    await stage.press("1", dee)
    await asyncio.sleep(6)
    await stage.hang_up(dee)
    await stage.hang_up()
