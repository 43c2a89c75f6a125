"""The neural organs: silero hears that somebody speaks, whisper what, hibari answers. All on this machine.

Their packages are an extra of their own; nothing of them is imported before `local` is called.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech.errors import WeightsError
from sandbox.speech.organs import Organs
from sandbox.speech.spanish import phonemes
from sandbox.speech.weights import INSTALL, WHISPER_BASE, folder, joined

EARS_RATE: Final = 16_000
VOICE_RATE: Final = 24_000
LOUDNESS: Final = 0.1  # rms of speech, -20 dBFS as on a telephone line


def local(weights: Path | None = None, cache: Path | None = None) -> Organs:
    """The local organs, loaded and warm, which takes some seconds. Raises WeightsError.

    weights: a folder with a Whisper model for ctranslate2. cache: where the packaged one is put together.
    """
    ears = WhisperEars(weights or joined(WHISPER_BASE, cache))
    voice = HibariVoice()
    detector = silero()
    ears.understand(voice.speak("One moment.", "en"), "en")
    return Organs(lambda: SileroDetector(detector), ears, voice, "local")


def _package(name: str) -> Any:
    """Untyped as it comes; each is called in one place below."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"the package {error.name!r} is not installed: {INSTALL}"
        raise WeightsError(message) from error


def resampled(sound: NDArray[np.floating[Any]], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    result: NDArray[np.float32] = _package("soxr").resample(sound.astype(np.float32), from_hz, to_hz)
    return result


def silero() -> Any:
    """The network for all detectors of a process: it holds no state."""
    onnxruntime = _package("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    path = folder("silero_vad") / "data" / "silero_vad.onnx"
    if not path.exists():
        message = f"silero_vad does not carry silero_vad.onnx any more: {INSTALL}"
        raise WeightsError(message)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SileroDetector:
    """Silero 6 at the line's own rate, 32 ms at a time."""

    window: int = 256
    CONTEXT: Final = 32

    def __init__(self, network: Any) -> None:
        self._network = network
        self._context: NDArray[np.float32] = np.zeros(self.CONTEXT, dtype=np.float32)
        self._state: NDArray[np.float32] = np.zeros((2, 1, 128), dtype=np.float32)
        self._rate = np.array(RATE, dtype=np.int64)

    def probability(self, samples: Samples) -> float:
        heard: NDArray[np.float32] = (samples / 32_768).astype(np.float32)
        given = np.concatenate([self._context, heard])
        self._context = given[-self.CONTEXT :]
        found, self._state = self._network.run(
            None, {"input": given[None, :], "state": self._state, "sr": self._rate}
        )
        return float(found[0, 0])


class WhisperEars:
    """Whisper by ctranslate2, on a window as short as the turn allows.

    `WhisperModel.transcribe` would pad every turn to 30 s and take three times as long.
    """

    SHORT_S: Final = 10
    LONG_S: Final = 30
    MARGIN_S: Final = 1
    MOST_TOKENS: Final = 200
    NO_SPEECH: Final = 0.8
    SPANISH: Final = 0.6

    def __init__(self, weights: Path) -> None:
        """Raises WeightsError."""
        if not (weights / "model.bin").exists():
            message = f"there is no model.bin in {weights}"
            raise WeightsError(message)
        self._views = _package("ctranslate2").StorageView
        self._whisper = _package("faster_whisper").WhisperModel(
            str(weights), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True
        )
        self._token = self._whisper.hf_tokenizer.token_to_id

    def understand(self, samples: Samples, language: str) -> str:
        """language: `en`, `es`, …; empty: English or Spanish, whichever it sounds like."""
        sound = resampled(samples.astype(np.float32) / 32_768, RATE, EARS_RATE)
        heard = [self._piece(piece, language) for piece in in_pieces(sound, self.LONG_S - self.MARGIN_S)]
        return " ".join(text for text in heard if text)

    def _piece(self, sound: NDArray[np.float32], language: str) -> str:
        short = len(sound) <= (self.SHORT_S - self.MARGIN_S) * EARS_RATE
        window_s = self.SHORT_S if short else self.LONG_S
        padded = np.concatenate([sound, np.zeros(window_s * EARS_RATE - len(sound), np.float32)])
        mel = self._whisper.feature_extractor(padded, padding=False)[None, :, : window_s * 100]
        encoded = self._whisper.model.encode(
            self._views.from_array(np.ascontiguousarray(mel.astype(np.float32)))
        )
        result = self._whisper.model.generate(
            encoded,
            [self._prompt(language or self._language(encoded))],
            beam_size=1,
            max_length=self.MOST_TOKENS,
            suppress_blank=True,
            suppress_tokens=[-1],
            return_no_speech_prob=True,
        )[0]
        if result.no_speech_prob > self.NO_SPEECH:
            return ""
        first_special = self._token("<|endoftext|>")
        words = [token for token in result.sequences_ids[0] if token < first_special]
        text: str = self._whisper.hf_tokenizer.decode(words)
        return text.strip()

    def _prompt(self, language: str) -> list[int]:
        known = self._token(f"<|{language}|>") or self._token("<|en|>")
        spoken = [known, self._token("<|transcribe|>")] if self._whisper.model.is_multilingual else []
        return [self._token("<|startoftranscript|>"), *spoken, self._token("<|notimestamps|>")]

    def _language(self, encoded: Any) -> str:
        if not self._whisper.model.is_multilingual:
            return "en"
        likely = dict(self._whisper.model.detect_language(encoded)[0])
        return "es" if likely.get("<|es|>", 0.0) > self.SPANISH else "en"


def in_pieces(sound: NDArray[np.float32], longest_s: int) -> Iterator[NDArray[np.float32]]:
    """Cut where it is quietest, within the last seconds of what fits."""
    most, frame = longest_s * EARS_RATE, EARS_RATE // 50
    while len(sound) > most:
        search = sound[most - 5 * EARS_RATE : most]
        power = np.square(search.reshape(-1, frame)).mean(axis=1)
        smooth = np.convolve(power, np.ones(10) / 10, mode="same")
        cut = most - 5 * EARS_RATE + int(smooth.argmin()) * frame
        yield sound[:cut]
        sound = sound[cut:]
    yield sound


class HibariVoice:
    """One voice, of an American; Spanish she reads with the nearest sounds she has."""

    SEED: Final = 7  # the same text sounds the same
    SPANISH_SPEED: Final = 0.85  # slower, foreign sounds are understood better

    def __init__(self) -> None:
        self._hibari = _package("hibari").Hibari()

    def speak(self, text: str, language: str) -> Samples:
        if language == "es":
            sentences = self._hibari.split_sentences(text)
            pieces = [
                self._hibari.from_phonemes(phonemes(one), speed=self.SPANISH_SPEED, seed=self.SEED)
                for one in sentences
            ]
            sound = np.concatenate([np.zeros(0, np.float32), *pieces])
        else:
            sound = self._hibari(text, seed=self.SEED)
        return line_level(resampled(sound, VOICE_RATE, RATE)) if len(sound) else np.zeros(0, dtype=np.int16)


def line_level(sound: NDArray[np.float32]) -> Samples:
    """As loud as people are on a telephone, without the silence before the first word."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * float(np.abs(sound).max(initial=0.0)))
    if not len(loud):
        return np.zeros(0, dtype=np.int16)
    heard = sound[max(0, int(loud[0]) - RATE // 50) :]
    frames = heard[: len(heard) // 160 * 160].reshape(-1, 160)
    power = np.square(frames).mean(axis=1)
    active = float(np.sqrt(power[power > 0.05 * power.max()].mean())) if len(power) else 1.0
    samples: Samples = np.clip(heard * (LOUDNESS / active) * 32_767, -32_768, 32_767).astype(np.int16)
    return samples
