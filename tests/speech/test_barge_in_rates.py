"""Speaking over the local model: how often it stops, what it then remembers and says, and what must not stop it.

Printed as a table of rates. The client is a model one: it plays in real time and truncates at the speech's start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.voice import Voice
from sandbox.speech.local import local
from sandbox.speech.organs import Organs
from tests.speech.hearing import NEEDED, SECOND, JoeVoice, absent
from tests.speech.line import over_the_line
from tests.speech.talk import FRAME_MS, Talk

pytestmark = [
    pytest.mark.voice,
    pytest.mark.skipif(bool(absent(NEEDED)), reason=f"{absent(NEEDED)} is not installed: `make test-voice`"),
]

SAYING = (
    "You have reached the night line of Harbor Property. I am an automatic assistant and I write down what is said."
    " Please tell me slowly and in your own words what has happened."
)
PLAYED_MS = 1_500  # of it, before anybody speaks
STOPS_WITHIN_MS = 700  # of sound: the line's quarter second of silence before the word is in it
SENTENCES = (
    "There is water coming through the ceiling.",
    "I smell gas in the basement!",
    "Listen, the pipe under the sink has burst.",
    "Stop, please, my father has chest pain.",
    "The elevator is stuck and someone is inside.",
    "There is smoke coming from the panel!",
    "Hello? We have no heat and a newborn here.",
    "The sewage is backing up into the bathtub.",
    "Wait, the power is out in the whole building.",
    "Excuse me, I need help with a flood.",
)
MURMURS = ("Mhm.", "Uh huh.", "Mm hmm.", "Okay.", "Mm.")
NOISES_DBFS = (-50.0, -45.0, -40.0, -35.0)


@dataclass(frozen=True)
class Spoken:
    """What came of speaking over it. stopped_ms: after the sound began; None: it was not stopped."""

    stopped_ms: int | None
    memory: str
    then: str

    @property
    def in_time(self) -> bool:
        """It stopped soon enough."""
        return self.stopped_ms is not None and self.stopped_ms <= STOPS_WITHIN_MS

    @property
    def remembers_what_was_heard(self) -> bool:
        """The beginning of the sentence, and about as much of it as was played."""
        share = len(self.memory) / len(SAYING)
        played = (PLAYED_MS + (self.stopped_ms or 0)) / (len(SAYING) * 1000 / 15)  # 15 characters a second
        return SAYING.startswith(self.memory.rstrip(" .")) and abs(share - played) < 0.2


@pytest.fixture(scope="module")
def organs() -> Organs:
    return local()


@pytest.fixture(scope="module")
def voices(organs: Organs) -> Sequence[Voice]:
    return [organs.voice, *([] if absent(SECOND) else [JoeVoice()])]


def spoken_over(organs: Organs, sound: Samples) -> Spoken:
    """It speaks; after a while this sound comes from the line."""
    talk = Talk(organs=organs).on_the_telephone(
        turn_detection={"type": "server_vad", "create_response": True, "interrupt_response": True},
        instructions=f'Languages: en. Greet with: "{SAYING}"',
    )
    events = talk.respond()
    item = str(talk.of("response.output_item.added", events)[0]["item"]["id"])
    length_ms = len(talk.sound(events)) // 8
    talk.silence(PLAYED_MS)
    stopped_ms: int | None = None
    after = len(talk.events)
    line = np.concatenate([sound, np.zeros(RATE * 2, dtype=np.int16)])
    for start in range(0, len(line), RATE * FRAME_MS // 1_000):
        heard = talk.hears(line[start : start + RATE * FRAME_MS // 1_000])
        if stopped_ms is None and talk.of("input_audio_buffer.speech_started", heard):
            stopped_ms = start // 8 + FRAME_MS
            end_ms = min(PLAYED_MS + stopped_ms, length_ms)
            talk.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=end_ms)
    talk.passes(3_000)
    said = [
        str(one["transcript"])
        for one in talk.of("response.output_audio_transcript.done", talk.events[after:])
    ]
    return Spoken(stopped_ms, _known(talk, item), " ".join(said))


def _known(talk: Talk, item: str) -> str:
    items: list[dict[str, object]] = talk.session.snapshot()["items"]  # type: ignore[assignment]  # JSON
    return next(str(one["known"]) for one in items if one.get("id") == item)


def rate(good: Sequence[bool]) -> float:
    return sum(good) / len(good)


def test_a_sentence_stops_it_is_understood_and_only_what_was_heard_is_remembered(
    organs: Organs, voices: Sequence[Voice]
) -> None:
    print(f"\n{'spoken over by':28} {'stops':>6} {'memory right':>13} {'answered':>9} {'ms, middle':>11}")
    for number, voice in enumerate(voices):
        for name, snr_db in (("clean", None), ("noise 20 dB below", 20.0)):
            seen = [spoken_over(organs, over_the_line(voice.speak(text, "en"), snr_db)) for text in SENTENCES]
            stops = rate([one.in_time for one in seen])
            memory = rate([one.remembers_what_was_heard for one in seen])
            answered = rate([bool(one.then) and one.then not in SAYING for one in seen])
            middle = sorted(one.stopped_ms or 0 for one in seen)[len(seen) // 2]
            print(f"voice {number + 1}, {name:19} {stops:6.0%} {memory:13.0%} {answered:9.0%} {middle:11}")
            assert stops >= 0.9
            assert memory >= 0.9
            assert answered >= 0.8


def test_after_a_murmur_it_goes_on_with_what_was_cut_off(organs: Organs) -> None:
    seen = [spoken_over(organs, over_the_line(organs.voice.speak(text, "en"))) for text in MURMURS]
    cut = [one for one in seen if one.stopped_ms is not None]
    resumed = [one.then == SAYING or not one.then for one in cut]
    print(f"\nmurmurs that cut it off: {len(cut)} of {len(seen)}; of these it went on right: {sum(resumed)}")
    assert sum(resumed) >= len(cut) - 1


def test_noise_does_not_stop_it(organs: Organs) -> None:
    stopped = 0
    for number, level in enumerate(NOISES_DBFS):
        noise = np.random.default_rng(number).standard_normal(RATE * 5) * 32_768 * 10 ** (level / 20)
        stopped += spoken_over(organs, noise.astype(np.int16)).stopped_ms is not None
    print(f"\nfive seconds of noise that cut it off: {stopped} of {len(NOISES_DBFS)}")
    assert stopped == 0
