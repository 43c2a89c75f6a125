"""A handset held from outside: a program or a browser at a web socket is the phone.

Binary messages are mu-law, 8 kHz, both ways: the microphone in pieces of any size, the ear-piece 20 ms at a time.
JSON tells and asks for everything else; docs/sandbox.md lists it. One talk at a time: who rings meanwhile gets busy.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import cast

from sandbox.errors import SandboxError, TownError
from sandbox.handset import Handset
from sandbox.legs import Leg
from sandbox.network import Network
from sandbox.phones import Busy, CallBehaviour, Held, Phone
from sandbox.sound import mulaw
from sandbox.sound.live import LiveMic
from sandbox.sound.mulaw import Samples
from sandbox.sound.plane import Listening

MOST_UNSENT = (
    500  # messages to a handset that does not read: beyond it the oldest sound is dropped, news never
)


class LivePhone:
    """The outside's side of one phone, for as long as its socket is open (a `Holder`)."""

    def __init__(self, network: Network, phone: Phone) -> None:
        self._network = network
        self._phone = phone
        self._handset: Handset | None = None
        self._listening: Listening | None = None
        self._mic = LiveMic()
        self._unsent: deque[str | bytes] = deque()
        self._ready = asyncio.Event()
        self._acts: Mapping[str, Callable[[Mapping[str, object]], None]] = {
            "answer": lambda _: self._on_the_line().answer(),
            "hang_up": lambda _: self._on_the_line().hang_up(),
            "press": lambda message: self._on_the_line().press(_text(message, "digits")),
            "say": lambda message: self._on_the_line().speak(_text(message, "text")),
            "dial": lambda message: self._dial(_text(message, "to")),
        }

    def pick(self) -> None:
        """Take the phone in hand. Raises TownError if somebody else has it."""
        if self._network.world.studio is None:
            raise TownError("a network without sound has no audio for a handset: start it with --voice light")
        if self._phone.holder is not None:
            raise TownError(f"the handset of {self._phone.number} is in other hands")
        self._phone.holder = self
        self._tell("ready", number=self._phone.number, name=self._phone.name)

    def put_down(self) -> None:
        """The socket is gone: the talk ends, and the phone does again what the town says."""
        if self._phone.holder is self:
            self._phone.holder = None
        if self._handset is not None:
            self._handset.hang_up()

    # ── from the outside ──────────────────────────────────────────────────────────

    def receive_sound(self, wire: bytes) -> None:
        """From the microphone; outside a talk nobody hears it."""
        if self._listening is not None:
            self._mic.add(mulaw.decode(wire))

    def receive(self, text: str) -> None:
        """One JSON message. What cannot be done is told."""
        try:
            message = _mapping(text)
            act = self._acts.get(_text(message, "event"))
            if act is None:
                raise TownError(f"a handset cannot {message['event']!r}: {', '.join(self._acts)}")
            act(message)
        except SandboxError as error:
            self._tell("error", error=str(error))

    def _on_the_line(self) -> Handset:
        if self._handset is None:
            raise TownError("nobody rings and nobody talks")
        return self._handset

    def _dial(self, to: str) -> None:
        if self._handset is not None:
            raise TownError("the line is taken")
        self._network.dial(self._phone.number, to)

    # ── from the network ──────────────────────────────────────────────────────────

    def behaviour(self) -> CallBehaviour:
        """What the phone does with a call now."""
        return Held() if self._handset is None else Busy()

    def begins(self, handset: Handset, leg: Leg) -> None:
        """It rings here, or has dialled."""
        if self._handset is not None:
            return
        self._handset = handset
        incoming = leg.call.direction != "inbound"
        self._tell(
            "ring" if incoming else "dialled",
            call=leg.call.sid,
            **{"from": leg.call.from_, "to": leg.call.to},
        )

    def talks(self, handset: Handset, leg: Leg) -> None:
        studio, circuit = self._network.world.studio, leg.circuit
        if handset is not self._handset or studio is None or circuit is None:
            return
        self._mic = LiveMic()
        circuit.live = self._mic
        self._listening = studio.plane.listen(circuit, "heard", self._frame)
        self._tell("talk", call=leg.call.sid)

    def ends(self, handset: Handset, leg: Leg) -> None:
        if handset is not self._handset:
            return
        self._handset = None
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        self._tell("end", call=leg.call.sid)

    def _frame(self, number: int, frame: Samples) -> None:
        del number
        if len(self._unsent) >= MOST_UNSENT:
            oldest = next((one for one in self._unsent if isinstance(one, bytes)), None)
            if oldest is not None:
                self._unsent.remove(oldest)
        self._send(mulaw.encode(frame))

    # ── to the outside ────────────────────────────────────────────────────────────

    def _tell(self, event: str, **details: object) -> None:
        self._send(json.dumps({"event": event, **details}))

    def _send(self, message: str | bytes) -> None:
        self._unsent.append(message)
        self._ready.set()

    async def next_message(self) -> str | bytes:
        """What the socket is to send next."""
        while not self._unsent:
            self._ready.clear()
            await self._ready.wait()
        return self._unsent.popleft()


def _mapping(text: str) -> Mapping[str, object]:
    try:
        message: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TownError("the message is no JSON") from error
    if not isinstance(message, dict):
        raise TownError("the message must be a JSON object")
    return cast("Mapping[str, object]", message)


def _text(message: Mapping[str, object], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise TownError(f"{name} must be a text")
    return value
