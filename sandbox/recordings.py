"""Recordings: records with a duration and a placeholder sound. No sound is kept."""

import io
import wave
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from sandbox.ids import CallSid, RecordingSid
from sandbox.world import API_VERSION, World

KEPT_RECORDINGS = 10_000
SAMPLE_RATE = 8_000


@dataclass(frozen=True)
class Recording:
    """What a `<Record>` heard. `text` is what was said, for tests to read."""

    sid: RecordingSid
    call: CallSid
    created: datetime
    duration_s: int
    text: str


class Recordings:
    """All recordings of the account, the oldest dropped at the bound."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: OrderedDict[RecordingSid, Recording] = OrderedDict()

    def keep(self, call: CallSid, began: datetime, duration_s: int, text: str) -> Recording:
        recording = Recording(self._world.sids.recording(), call, began, duration_s, text)
        self._kept[recording.sid] = recording
        if len(self._kept) > KEPT_RECORDINGS:
            self._kept.popitem(last=False)
        return recording

    def get(self, sid: str) -> Recording | None:
        return self._kept.get(RecordingSid(sid))

    def url(self, recording: Recording) -> str:
        """Where it can be fetched: as it is, or with `.json` or `.wav`."""
        account = self._world.account.sid
        return f"{self._world.public_url}/{API_VERSION}/Accounts/{account}/Recordings/{recording.sid}"


def placeholder_wav() -> bytes:
    """A quarter of a second of silence: the seam where real sound will come."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(bytes(SAMPLE_RATE // 2))
    return out.getvalue()
