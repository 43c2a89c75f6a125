"""One session of the Realtime protocol: the server's side of it, without sockets, models or a clock.

Events and time come in, orders come out: events for the client, work for the ears and the voice. Whoever drives it
calls `heard` and `spoken` when that work is done, and `tick` when `due_ms` has come. Every method takes the present
time in milliseconds of any steady clock.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sandbox.sound.mulaw import Samples
from sandbox.speech import told
from sandbox.speech.client_events import (
    Append,
    CancelResponse,
    Clear,
    ClientEvent,
    Commit,
    CreateItem,
    CreateResponse,
    DeleteItem,
    Frame,
    RetrieveItem,
    SessionUpdate,
    TruncateItem,
)
from sandbox.speech.configuration import Configuration, TurnDetection, updated
from sandbox.speech.conversation import Conversation
from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields, Json
from sandbox.speech.formats import Decoder, ms_of
from sandbox.speech.generation import Generation, Pace
from sandbox.speech.ids import Ids
from sandbox.speech.input import InputBuffer
from sandbox.speech.items import Message, Part, read_item
from sandbox.speech.limits import RateLimits
from sandbox.speech.listening import Listening
from sandbox.speech.mind import Mind
from sandbox.speech.orders import Close, Listen, Order, Send
from sandbox.speech.organs import Detector
from sandbox.speech.request import wanted
from sandbox.speech.turns import Started, Stopped, Turn

SHORTEST_COMMIT_MS: Final = 100
EXPIRED: Final = 1001


@dataclass(frozen=True)
class Timing:
    """How quick the model is. All in milliseconds.

    update_ms: how long a `session.update` takes; audio is read the old way meanwhile. thinking_ms: from what was
    asked to the first word, beside what ears and voice need. transcript_ms: how much later transcripts come.
    """

    lasts_ms: int = 3_600_000
    longest_turn_ms: int = 15_000
    update_ms: int = 0
    thinking_ms: int = 0
    transcript_ms: int = 0
    pace: Pace = field(default_factory=Pace)


class Session:
    """expires_at: what the client is told, in Unix seconds."""

    def __init__(
        self,
        model: str,
        mind: Mind,
        detector: Detector,
        now_ms: int,
        *,
        seed: str = "0",
        expires_at: int = 0,
        timing: Timing | None = None,
    ) -> None:
        self._timing = timing or Timing()
        self._ids = Ids(seed)
        self._mind = mind
        self.id = self._ids.draw("sess")
        self._conversation_id = self._ids.draw("conv")
        self._expires_at = expires_at
        self._ends_ms = now_ms + self._timing.lasts_ms
        self._configuration = self._coming = Configuration(model)  # in force, and accepted
        self._conversation = Conversation()
        self._buffer = InputBuffer(detector, self._timing.longest_turn_ms)
        self._buffer.detect(self._configuration.turns)
        self._limits = RateLimits()
        self._active: Generation | None = None
        self._aside: list[Generation] = []  # out of band
        self._undecided: dict[str, int] = {}  # response to when it may be decided
        self._answer_owed = False  # a turn ended while a response could not be interrupted
        self._listening = Listening()
        self._later: list[tuple[int, int, Callable[[int], Iterator[Order]]]] = []
        self._laters = 0
        self._turn_item = ""
        self._turn_from_ms = 0
        self._idle_at_ms: int | None = None
        self._sounded = False
        self._resumes_ms = 0
        self.over = False

    # What the driver calls.

    def begin(self) -> list[Order]:
        return self._stamped([Send({"type": "session.created", "session": self._session_json()})])

    def received(self, frame: Frame, now_ms: int) -> list[Order]:
        """One message of the client."""
        if self.over:
            return []
        if isinstance(frame.event, Refusal):
            return self._stamped([told.error(frame.event, frame.event_id)])
        orders: list[Order] = []
        try:
            orders.extend(self._act(frame.event, now_ms))
        except Refusal as refusal:
            orders.append(told.error(refusal, frame.event_id))
        return self._stamped([*orders, *self._moved(now_ms)])

    def heard(self, number: int, text: str | None, now_ms: int) -> list[Order]:
        """The ears have understood something; None: they could not be used."""
        heard = self._listening.end(number, text)
        if heard is None or self.over:
            return []
        if self._configuration.transcription is not None:
            self._do_later(now_ms + self._timing.transcript_ms, lambda _: heard.transcript())
        return self._stamped(list(self._moved(now_ms)))

    def spoken(self, response_id: str, samples: Samples | None, now_ms: int) -> list[Order]:
        """The voice has spoken something; None: it could not be used."""
        generation = next((one for one in self._generations() if one.id == response_id), None)
        if generation is None or self.over:
            return []
        if samples is None:
            message = "The server had an error while processing your request. Sorry about that!"
            return self._stamped([*generation.fail("server_error", None, message), *self._moved(now_ms)])
        generation.spoken(samples, now_ms)
        return self._stamped(list(self._moved(now_ms)))

    def tick(self, now_ms: int) -> list[Order]:
        """Whatever is due by now."""
        return [] if self.over else self._stamped(list(self._moved(now_ms)))

    @property
    def due_ms(self) -> int | None:
        """When to call `tick` at the latest; None when the session is over."""
        if self.over:
            return None
        due = [self._ends_ms]
        if self._later:
            due.append(self._later[0][0])
        if self._idle_at_ms is not None:
            due.append(self._idle_at_ms)
        for generation in self._generations():
            if generation.due_ms is not None:
                due.append(max(generation.due_ms, self._resumes_ms))
            elif self._decidable(generation):
                due.append(max(self._undecided[generation.id], self._resumes_ms))
        return min(due)

    # What faults call.

    def expire(self, now_ms: int) -> list[Order]:
        """End the session as if its time were up."""
        self._ends_ms = now_ms
        return self.tick(now_ms)

    def stall(self, until_ms: int) -> None:
        """Generate nothing until then."""
        self._resumes_ms = until_ms

    def complain(self, refusal: Refusal) -> list[Order]:
        """An error out of nowhere; the session goes on."""
        return self._stamped([told.error(refusal, None)])

    def break_off(self, kind: str, code: str, message: str, now_ms: int) -> list[Order]:
        """Let the response that is being made fail."""
        if self._active is None:
            return []
        return self._stamped([*self._active.fail(kind, code, message), *self._moved(now_ms)])

    @property
    def speaking(self) -> bool:
        """Whether sound of an answer is leaving right now."""
        return self._active is not None and self._active.first_audio_ms is not None

    def snapshot(self) -> Json:
        """What it has in its memory."""
        return {
            "id": self.id,
            "model": self._configuration.model,
            "active": self._active.id if self._active is not None else None,
            "items": [
                {**item.json(), "known": item.known, "cut": item.cut}
                if isinstance(item, Message)
                else item.json()
                for item in self._conversation.items
            ],
        }

    # Client events.

    def _act(self, event: ClientEvent, now_ms: int) -> Iterator[Order]:
        match event:
            case Append(audio):
                for turn in self._buffer.append(audio):
                    if (settings := self._configuration.turns) is not None:
                        yield from self._turned(turn, settings)
            case SessionUpdate(session):
                self._coming = changed = updated(self._coming, session, self._sounded)
                self._do_later(now_ms + self._timing.update_ms, lambda _: self._update(changed))
            case Commit():
                yield from self._commit_by_hand()
            case Clear():
                self._buffer.clear()
                yield told.cleared()
            case CreateItem(given, after):
                yield from self._create_item(given, after)
            case DeleteItem(item_id):
                self._conversation.delete(item_id)
                yield told.deleted(item_id)
            case RetrieveItem(item_id):
                yield told.retrieved(self._conversation.get(item_id, "retrieve"))
            case TruncateItem(item_id, content_index, audio_end_ms):
                self._conversation.truncate(item_id, content_index, audio_end_ms)
                yield told.truncated(item_id, content_index, audio_end_ms)
            case CreateResponse(response):
                yield from self._create_response(response, now_ms)
            case CancelResponse(response_id):
                yield from self._cancel(response_id)

    def _update(self, changed: Configuration) -> Iterator[Order]:
        before, self._configuration = self._configuration, changed
        self._buffer.read_as(changed.input_format)
        if not changed.hears_as(before):
            self._buffer.detect(changed.turns)
        if changed.turns is None or changed.turns.idle_timeout_ms is None:
            self._idle_at_ms = None
        yield Send({"type": "session.updated", "session": self._session_json()})

    def _create_item(self, given: Fields, after: str | None) -> Iterator[Order]:
        item, sounds = read_item(given, self._ids.draw("item"))
        self._conversation.add(item, after)
        yield from told.added(item, self._conversation)
        for sound in sounds:
            samples = Decoder(self._configuration.input_format).decode(sound.wire)
            yield self._listen(sound.item, sound.part, samples)

    def _create_response(self, given: Fields, now_ms: int) -> Iterator[Order]:
        want = wanted(given, self._configuration, self._conversation, self._conversation_id, self._ids)
        if want.conversation is not None and self._active is not None:
            message = (
                f"Conversation already has an active response in progress: {self._active.id}. "
                "Wait until the response is finished before creating a new one."
            )
            raise Refusal(message, code="conversation_already_has_active_response")
        generation = Generation(want, self._ids, self._timing.pace)
        self._undecided[generation.id] = now_ms + self._timing.thinking_ms
        if want.conversation is not None:
            self._active, self._answer_owed, self._idle_at_ms = generation, False, None
        else:
            self._aside.append(generation)
        yield from generation.begin()
        yield Send(self._limits.reserved(want.most_tokens or 4_096, now_ms))

    def _cancel(self, response_id: str | None) -> Iterator[Order]:
        for generation in self._generations():
            if generation.id == response_id or (response_id is None and generation is self._active):
                yield from generation.cancel("client_cancelled")
                return
        message = "Cancellation failed: no active response found"
        raise Refusal(
            message, code="response_cancel_not_active", param="response_id" if response_id else None
        )

    # Turns of speech.

    def _turned(self, turn: Turn, settings: TurnDetection) -> Iterator[Order]:
        match turn:
            case Started(at_ms):
                self._idle_at_ms = None
                self._turn_item = self._ids.draw("item")
                self._turn_from_ms = max(0, at_ms - settings.prefix_padding_ms)
                yield told.speech_started(self._turn_item, self._turn_from_ms)
                if settings.interrupt_response and self._active is not None:
                    yield from self._active.cancel("turn_detected")
            case Stopped(at_ms):
                yield told.speech_stopped(self._turn_item, at_ms)
                yield from self._commit(self._turn_item, self._buffer.take(self._turn_from_ms))
                self._answer_owed = settings.create_response

    def _commit_by_hand(self) -> Iterator[Order]:
        if self._buffer.kept_ms < SHORTEST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but buffer only has {self._buffer.kept_ms:.2f}ms of audio."
            )
            raise Refusal(message, code="input_audio_buffer_commit_empty")
        yield from self._commit(self._ids.draw("item"), self._buffer.take())

    def _commit(self, item_id: str, samples: Samples) -> Iterator[Order]:
        message = Message(item_id, "user", [Part("input_audio", length_ms=ms_of(len(samples)))])
        self._conversation.add(message)
        yield from told.committed(message, self._conversation)
        yield self._listen(message, message.parts[0], samples)

    def _listen(self, message: Message, part: Part, samples: Samples) -> Listen:
        settings = self._configuration
        language = self._mind.language(self._conversation.items, settings.instructions) or settings.language
        return self._listening.begin(message, part, samples, language)

    def _idle(self, now_ms: int) -> Iterator[Order]:
        """Nobody has spoken since the last answer was heard: the model may speak again."""
        self._idle_at_ms = None
        item_id, at_ms = self._ids.draw("item"), self._buffer.position_ms
        from_ms = at_ms - self._buffer.kept_ms
        self._buffer.clear()
        yield told.nobody_spoke(item_id, from_ms, at_ms)
        silence = Message(item_id, "user", [Part("input_audio", known="")], silence=True)
        self._conversation.add(silence)
        yield from told.committed(silence, self._conversation)
        yield from self._create_response(Fields({}, "response"), now_ms)

    # What moves by itself.

    def _moved(self, now_ms: int) -> Iterator[Order]:
        """Everything that can go on now, until nothing can."""
        while self._later and self._later[0][0] <= now_ms:
            yield from heapq.heappop(self._later)[2](now_ms)
        for generation in list(self._generations()):
            if now_ms >= self._resumes_ms:
                if self._decidable(generation) and self._undecided[generation.id] <= now_ms:
                    del self._undecided[generation.id]
                    yield from generation.decided(self._mind.reply(generation.wanted.asked))
                yield from generation.step(now_ms)
            self._sounded = self._sounded or generation.audio_ms > 0
            if generation.over:
                yield from self._done(generation, now_ms)
        if self._answer_owed and self._active is None:
            yield from self._create_response(Fields({}, "response"), now_ms)
            yield from self._moved(now_ms)
        if self._idle_at_ms is not None and self._idle_at_ms <= now_ms:
            yield from self._idle(now_ms)
            yield from self._moved(now_ms)
        if self._ends_ms <= now_ms and not self.over:
            yield from self._expire()

    def _decidable(self, generation: Generation) -> bool:
        """Whether the mind has yet to be asked, and everything it has to know was heard."""
        return generation.id in self._undecided and not any(
            isinstance(item, Message) and item.unheard for item in generation.wanted.asked.items
        )

    def _done(self, generation: Generation, now_ms: int) -> Iterator[Order]:
        self._undecided.pop(generation.id, None)
        yield Send(self._limits.settled(generation.output_tokens, now_ms))
        if generation is not self._active:
            self._aside.remove(generation)
            return
        self._active = None
        turns = self._configuration.turns
        if turns is not None and turns.idle_timeout_ms is not None and not self._buffer.speaking:
            began_ms = now_ms if generation.first_audio_ms is None else generation.first_audio_ms
            self._idle_at_ms = max(now_ms, began_ms + generation.audio_ms) + turns.idle_timeout_ms

    def _expire(self) -> Iterator[Order]:
        minutes = self._timing.lasts_ms // 60_000
        message = f"Your session hit the maximum duration of {minutes} minutes."
        yield told.error(Refusal(message, code="session_expired"), None)
        yield Close(EXPIRED, message)
        self.over = True

    def _generations(self) -> list[Generation]:
        return [*([self._active] if self._active is not None else []), *self._aside]

    def _do_later(self, due_ms: int, what: Callable[[int], Iterator[Order]]) -> None:
        self._laters += 1
        heapq.heappush(self._later, (due_ms, self._laters, what))

    def _session_json(self) -> Json:
        return {**self._configuration.json(), "id": self.id, "expires_at": self._expires_at}

    def _stamped(self, orders: Sequence[Order]) -> list[Order]:
        for order in orders:
            if isinstance(order, Send):
                order.event["event_id"] = self._ids.draw("event")
        return list(orders)
