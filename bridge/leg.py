"""One stream between its sockets: Twilio's, the model's, and what its session wants done. No decisions live here.

Bounds: the session's own (two seconds of the caller's sound, five minutes of a coach's, 500 turns), and the wires'.
When Twilio takes no more, the model is not read; when the model takes no more, the caller's sound is kept for two
seconds and then dropped, oldest first. Orders and marks are never dropped.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Protocol as Interface

import structlog

from bridge.audio import samples_in
from bridge.effects import (
    AskToAttach,
    Claim,
    CloseModel,
    Effect,
    End,
    OpenModel,
    Overheard,
    TellTrouble,
    TellTurns,
    ToModel,
    UseTool,
)
from bridge.errors import RemoteProtocolError
from bridge.metrics import Figures
from bridge.model import Audio, SpeechStarted
from bridge.seams import Models, ModelSession, Workflows
from bridge.session import At, Session
from bridge.traces import StreamTrace
from bridge.twilio_wire import (
    MEDIA_TAIL,
    Media,
    SendClear,
    SendMark,
    SendMedia,
    media_head,
    read,
    usual,
    write,
)
from bridge.wires import Wire
from workflows.orders import Instruction
from workflows.tokens import StreamToken
from workflows.voice import ToolCall, ToolOutcome, Turns, VoiceTrouble

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

START_S = 5.0  # Twilio sends `start` right behind `connected`
TOOL_S = 8.0  # longer, and the model is told that it is still being done
STILL = "Not done yet: it is still being tried. Say so if asked; promise nothing."
FAILED = "It could not be done: nobody took the order. Say so if asked; promise nothing."
GIVE_UP_S = 60.0
TELL_PAUSE_S = 1.0  # between two batches of turns: each is a signal, and billed
TURNS_AT_ONCE = 50
BYE = 1000
NEVER = float("inf")


class House(Interface):
    """The process's other streams, as one of them needs them."""

    def opened(self, leg: "Leg", token: str) -> list[Effect]:
        """Whose stream is it?"""
        ...

    def attached(self, leg: "Leg") -> None:
        """The workflow has accepted it."""
        ...

    async def before_attaching(self, token: StreamToken) -> None:
        """Call off the farewell of an earlier stream of the same leg."""
        ...

    def overheard(self, heard: Overheard) -> None:
        """A leg was loud."""
        ...

    def over(self, leg: "Leg") -> None:
        """Its socket is closed."""
        ...


class _Model:
    """One session at the model and its socket."""

    def __init__(self, leg: "Leg", link: int, session: ModelSession) -> None:
        self.wire: Wire | None = None
        self.opening: asyncio.Task[None] | None = None
        self.session = session
        self._leg = leg
        self._link = link

    def keep(self, wire: Wire) -> None:
        """Its socket is being opened."""
        self.wire = wire

    def opened(self) -> None:
        self._leg.model_opened(self._link)
        now = self._leg.now()
        self._leg.do(self._leg.session.model_opened(self._link, now))
        for news in self.session.opened():
            self._leg.do(self._leg.session.model_said(self._link, news, now))

    def text(self, frame: bytes) -> None:
        self._leg.model_text(self, self._link, frame)

    def binary(self) -> None:
        self._leg.session.counts.unknown += 1

    def full(self, *, full: bool) -> None:
        self._leg.do(self._leg.session.model_full(full=full))

    def closed(self, code: int, because: str) -> None:
        why = f"{code} {because}".strip() if code else because
        hopeless = code == 0 and any(status in because for status in ("401", "403"))
        self._leg.model_gone(self._link, why, hopeless=hopeless)

    def send(self, frames: Iterable[bytes]) -> None:
        """Send these."""
        if self.wire is not None:
            for frame in frames:
                self.wire.send(frame)


class Leg:
    """One socket of Twilio's, its session, and the session's sockets at the model. A listener of its wire.

    short: whether sound that is just as expected takes the short way; it comes to the same.
    """

    def __init__(self, house: House, workflows: Workflows, models: Models) -> None:
        self.wire: Wire | None = None
        self.loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self.loop.time
        self.session = Session(time.time() - self.now())
        self.asked = False
        self.short = True
        self._media_head = b""
        self._house = house
        self._workflows = workflows
        self._models = models
        self._open_models: dict[int, _Model] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[ToolOutcome]] = set()
        self._telling: asyncio.Task[None] | None = None
        self._in_turn = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = NEVER
        self._may_tell_s = 0.0
        self._trace = StreamTrace()
        self._patience: asyncio.TimerHandle | None = None

    @property
    def live(self) -> bool:
        """Whether its call may speak with it."""
        return self.session.at in {At.CLAIMING, At.CARRIED}

    @property
    def silent(self) -> bool:
        """Whether it can be handed over without cutting anybody short."""
        talk = self.session.talk
        return talk is None or talk.plan is None or talk.silent(self.now())

    @property
    def figures(self) -> Figures:
        """What its audio was like so far."""
        return self.session.figures

    def carries(self, leg: StreamToken | Instruction) -> bool:
        """Whether this is, or asks to be, the audio of that leg."""
        mine = self.session.leg
        return self.live and mine is not None and (mine.call, mine.generation) == (leg.call, leg.generation)

    # Twilio's wire

    def opened(self) -> None:
        """The socket is open; `start` must follow."""
        self._patience = self.loop.call_later(START_S, self._no_start)

    def text(self, frame: bytes) -> None:
        """A frame of Twilio's."""
        if self.short and (sound := usual(frame)) is not None and self._alarm is not None:
            stream, timestamp_ms, payload = sound
            samples = len(payload) // 4 * 3 - payload.count(b"=", -2)
            link = self.session.passes(stream, timestamp_ms, samples, self.now())
            if link is not None:
                model = self._open_models.get(link)
                if model is not None and model.wire is not None:
                    model.wire.send(model.session.append(payload))
                return
        try:
            message = read(frame)
        except RemoteProtocolError as error:
            self.do(self.session.broken(str(error)))
            return
        now = self.now()
        self.do(self.session.received(message, now))
        if self._alarm is None or not isinstance(message, Media):
            self._set_alarm(now)

    def binary(self) -> None:
        """A binary frame: Media Streams are text."""
        self.do(self.session.broken("a binary frame: Media Streams are text"))

    def full(self, *, full: bool) -> None:
        """Twilio takes no more for now, or takes more again."""
        for model in self._open_models.values():
            if model.wire is not None:
                model.wire.read_on(on=not full)

    def closed(self, code: int, because: str) -> None:
        """Twilio's socket is closed."""
        self.do(self.session.gone(self.now()))
        for timer in (self._alarm, self._patience):
            if timer is not None:
                timer.cancel()
        self._alarm = None
        for task in self._tasks:
            task.cancel()
        session = self.session
        heard = {"heard_ms": session.heard_ms, **vars(session.counts)}
        log.info(
            "stream over", stream=session.stream, code=code, because=because, **heard, **self.figures.told()
        )
        self._trace.over({**heard, **self.figures.told()})
        self._house.over(self)

    # The model's wires

    def model_text(self, model: _Model, link: int, frame: bytes) -> None:
        """A frame of the model's."""
        now = self.now()
        if self.short and (sound := model.session.sound(frame)) is not None and self.wire is not None:
            played, mark = self.session.plays(
                link, sound.response, sound.item, samples_in(sound.payload), now
            )
            if played:
                stream = self.session.stream
                marked = write(SendMark(stream, mark)) if mark is not None and stream is not None else None
                self.wire.send(self._media_head + sound.payload.encode() + MEDIA_TAIL, marked)
                return
        only_sound = True
        for news in model.session.read(frame):
            self.do(self.session.model_said(link, news, now))
            if isinstance(news, SpeechStarted):
                self.figures.barge_in_ms.append((self.now() - now) * 1000)
            only_sound = only_sound and isinstance(news, Audio)
        model.send(model.session.unsent())
        if self._alarm is None or not only_sound or self.session.paced:
            self._set_alarm(now)

    def model_opened(self, link: int) -> None:
        """A session's socket is open."""
        self._trace.model_opened(link)

    def model_gone(self, link: int, because: str, *, hopeless: bool = False) -> None:
        """A session's socket is closed, or did not open."""
        self._trace.model_over(link, because)
        if self._open_models.pop(link, None) is not None:
            log.warning("model session lost", stream=self.session.stream, because=because)
            self.do(self.session.model_lost(link, because, self.now(), hopeless=hopeless))
            self._set_alarm(self.now())

    # What the session wants done

    def do(self, effects: Sequence[Effect]) -> None:
        """Do these, in order."""
        for effect in effects:
            match effect:
                case ToModel():
                    if (model := self._open_models.get(effect.link)) is not None:
                        model.send(model.session.write(effect.order))
                case SendMedia() | SendMark() | SendClear():
                    if self.wire is not None:
                        self.wire.send(write(effect))
                case _:
                    self._do(effect)

    def instruct(self, order: Instruction) -> None:
        """Its workflow wants something. Raises LocalProtocolError."""
        now = self.now()
        self.do(self.session.instructed(order, now))
        self._set_alarm(now)

    def end(self, effects: Sequence[Effect]) -> None:
        """Its session was told to end."""
        self.do(effects)

    async def finish_telling(self) -> None:
        """Wait for what was asked, and tell the turns that were not told yet."""
        if self._asking:
            await asyncio.wait(self._asking)
        while await self._tell_some_turns():
            pass

    async def _tell_some_turns(self) -> bool:
        """Tell a batch; gives whether there was one."""
        leg, talk = self.session.leg, self.session.talk
        if leg is None or talk is None or not talk.words.turns:
            return False
        first, turns = talk.words.told, tuple(talk.words.turns)[:TURNS_AT_ONCE]
        await self._workflows.tell_turns(leg, Turns(generation=leg.generation, first=first, turns=turns))
        talk.words.taken(max(first + len(turns) - talk.words.told, 0))  # some may have been let go
        return True

    def _do(self, effect: Effect) -> None:
        leg = self.session.leg
        match effect:
            case Claim(token):
                self.do(self._house.opened(self, token))
                if self._patience is not None:
                    self._patience.cancel()
            case AskToAttach(token, sid):
                self._media_head = media_head(sid)
                log.info("stream started", call=token.call, generation=token.generation, stream=sid)
                self._trace.started(token, sid)
                self._start(self._attach(token, sid))
            case OpenModel(link):
                opened = self._open_models[link] = _Model(self, link, self._models.session())
                self._trace.model_opening(link)
                opened.opening = self._start(self._open(opened, link))
            case CloseModel(link):
                self._trace.model_over(link, "closed by us")
                if (closed := self._open_models.pop(link, None)) is not None:
                    self._close(closed)
            case UseTool(call):
                if leg is not None:
                    self._start(self._use_tool(leg, call))
            case TellTurns():
                if self._telling is None or self._telling.done():
                    self._telling = self._start(self._tell_turns())
            case TellTrouble(what, detail):
                log.warning("speech model", stream=self.session.stream, what=what, detail=detail)
                if leg is not None:
                    talk = self.session.talk
                    still_ms = talk.playing_ms(self.now()) if talk is not None else 0
                    trouble = VoiceTrouble(
                        generation=leg.generation, what=what, detail=detail, playing_ms=still_ms
                    )
                    self._start(self._tell_trouble(leg, trouble))
            case Overheard():
                self._house.overheard(effect)
            case End(code, because):
                log.info("stream closing", stream=self.session.stream, because=because)
                if self.wire is not None:
                    self.wire.close(code, because)
            case ToModel() | SendMedia() | SendMark() | SendClear():
                raise AssertionError("done where it is frequent")

    def _close(self, model: _Model) -> None:
        if model.opening is not None and not model.opening.done():
            model.opening.cancel()
        if model.wire is not None:
            model.wire.close(BYE)

    # Tasks: whatever waits for an answer

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("stream's task failed", stream=self.session.stream, exc_info=error)

    async def _attach(self, token: StreamToken, sid: str) -> None:
        """Ask the workflow; when it accepts, an older stream of the same leg is let go."""
        try:
            await self._house.before_attaching(token)
            self.asked = True
            with self._trace.attaching():
                answer = await self._workflows.attach(token, sid)
        except Exception:  # a leg nobody answers for resumes elsewhere
            log.exception("attach failed", call=token.call, stream=sid)
            self.do(self.session.stuck())
            return
        if not answer.accepted:
            log.warning("stream refused", call=token.call, stream=sid, problem=answer.because)
            self.asked = False  # what was not accepted needs no farewell
            self.do(self.session.refused(answer.because))
            return
        if self.session.at is At.OVER:
            return  # closed meanwhile: a newer stream of the leg may be here already, and is not to make way
        log.info("stream attached", call=token.call, generation=token.generation, stream=sid)
        now = self.now()
        self.do(self.session.attached(answer.plan, now))
        self._set_alarm(now)
        self._house.attached(self)

    async def _open(self, model: _Model, link: int) -> None:
        try:
            await self._models.connect(model, model.keep)
        except OSError as error:
            self.model_gone(link, f"cannot be reached: {error}")

    async def _use_tool(self, leg: StreamToken, call: ToolCall) -> None:
        """Ask; the model is not left without a word for long, and the question outlives the stream."""
        asking = self.loop.create_task(self._ask(leg, call))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        await asyncio.wait({asking}, timeout=TOOL_S)
        if asking.done():
            self._tool_done(call.id, asking.result())
            return
        self._tool_done(call.id, ToolOutcome(output=STILL))
        await asyncio.wait({asking})
        self.do(self.session.done_late(call.name, asking.result(), self.now()))

    async def _ask(self, leg: StreamToken, call: ToolCall) -> ToolOutcome:
        try:
            async with asyncio.timeout(GIVE_UP_S):
                with self._trace.tool(call.name, call.id):
                    return await self._workflows.use_tool(leg, call)
        except TimeoutError:
            log.error("tool call given up", call=leg.call, tool=call.name)
            return ToolOutcome(output=FAILED)

    def _tool_done(self, call: str, outcome: ToolOutcome) -> None:
        now = self.now()
        self.do(self.session.tool_done(call, outcome, now))
        self._set_alarm(now)

    async def _tell_turns(self) -> None:
        more = True
        while more:
            await asyncio.sleep(self._may_tell_s - self.now())
            self._may_tell_s = self.now() + TELL_PAUSE_S
            more = await self._tell_some_turns()

    async def _tell_trouble(self, leg: StreamToken, trouble: VoiceTrouble) -> None:
        async with self._in_turn:  # that the model is back must not be overtaken by its loss
            await self._workflows.tell_trouble(leg, trouble)

    # Time

    def _set_alarm(self, now: float) -> None:
        due = self.session.due(now)
        if due is None or due >= self._rings_at:
            return  # an alarm that rings too early looks again
        if self._alarm is not None:
            self._alarm.cancel()
        self._rings_at = due
        self._alarm = self.loop.call_at(due, self._rings)

    def _rings(self) -> None:
        self._alarm, self._rings_at = None, NEVER
        now = self.now()
        self.do(self.session.tick(now))
        self._set_alarm(now)

    def _no_start(self) -> None:
        if self.session.at is At.OPENING:
            self.do(self.session.late())
