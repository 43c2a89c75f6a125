"""Recordings of `<Record>`, with their sound where there is any."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from sandbox.ids import CallSid, RecordingSid
from sandbox.sound import wav
from sandbox.sound.mulaw import RATE, Samples
from sandbox.world import API_VERSION, World

KEPT_RECORDINGS = 10_000
KEPT_SAMPLES = 4 * 3_600 * RATE  # of all of them together: 230 MB


@dataclass(frozen=True)
class Recording:
    """What a `<Record>` heard. `text` is what was said, for tests to read."""

    sid: RecordingSid
    call: CallSid
    created: datetime
    duration_s: int
    text: str
    sound: Samples

    @property
    def wav(self) -> bytes:
        """Its sound; where there is none, a quarter of a second of silence stands for it."""
        return wav.write(self.sound if len(self.sound) else np.zeros(RATE // 4, dtype=np.int16))


class Recordings:
    """All recordings of the account, the oldest dropped at the bound."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._samples = 0
        self._kept: OrderedDict[RecordingSid, Recording] = OrderedDict()

    def keep(self, call: CallSid, began: datetime, duration_s: int, text: str, sound: Samples) -> Recording:
        recording = Recording(self._world.sids.recording(), call, began, duration_s, text, sound)
        self._kept[recording.sid] = recording
        self._samples += len(sound)
        if len(self._kept) > KEPT_RECORDINGS:
            self._samples -= len(self._kept.popitem(last=False)[1].sound)
        self._forget_sounds()
        return recording

    def _forget_sounds(self) -> None:
        """Of the oldest recordings only the record stays."""
        for sid, old in self._kept.items():
            if self._samples <= KEPT_SAMPLES:
                return
            self._samples -= len(old.sound)
            self._kept[sid] = replace(old, sound=old.sound[:0])

    def get(self, sid: str) -> Recording | None:
        return self._kept.get(RecordingSid(sid))

    def url(self, recording: Recording) -> str:
        """Where it can be fetched: as it is, or with `.json` or `.wav`."""
        account = self._world.account.sid
        return f"{self._world.public_url}/{API_VERSION}/Accounts/{account}/Recordings/{recording.sid}"
