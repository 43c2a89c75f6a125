"""What is with the ears: sound of items, until it is understood, and the transcripts the client is told of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech.fields import Json
from sandbox.speech.items import Message, Part
from sandbox.speech.orders import Listen, Order, Send

KIND = "conversation.item.input_audio_transcription"


@dataclass
class Heard:
    """One sound. The transcript is beside what the model itself heard, and may come after its answer."""

    message: Message
    part: Part
    seconds: float
    text: str | None = None  # None: the ears could not be used

    def transcript(self) -> Iterator[Order]:
        where: Json = {"item_id": self.message.id, "content_index": self.message.parts.index(self.part)}
        if self.text is None:
            error: Json = {
                "type": "server_error",
                "code": None,
                "message": "Transcription failed.",
                "param": None,
            }
            yield Send({"type": f"{KIND}.failed", **where, "error": error})
            return
        self.part.text = self.text
        if self.text:
            yield Send({"type": f"{KIND}.delta", **where, "delta": self.text})
        usage: Json = {"type": "duration", "seconds": round(self.seconds, 2)}
        yield Send({"type": f"{KIND}.completed", **where, "transcript": self.text, "usage": usage})


class Listening:
    """Numbers what is listened to."""

    def __init__(self) -> None:
        self._open: dict[int, Heard] = {}
        self._number = 0

    def begin(self, message: Message, part: Part, samples: Samples, language: str) -> Listen:
        self._number += 1
        self._open[self._number] = Heard(message, part, len(samples) / RATE)
        return Listen(self._number, samples, language)

    def end(self, number: int, text: str | None) -> Heard | None:
        """The model knows it now; None where nothing was listened to under that number."""
        heard = self._open.pop(number, None)
        if heard is not None:
            heard.text, heard.part.known = text, text or ""
        return heard
