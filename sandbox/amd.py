"""Answering-machine detection: what is asked, and the verdict about a handset."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sandbox.handset import BEEP_S, Handset
from sandbox.twiml import Method
from sandbox.world import World

Mode = Literal["Enable", "DetectMessageEnd"]


@dataclass(frozen=True)
class Detection:
    """What the request asked for. With a callback it runs beside the call."""

    mode: Mode
    beside: bool
    callback_url: str = ""
    callback_method: Method = "POST"
    timeout_s: float = 30.0


@dataclass(frozen=True)
class Verdict:
    answered_by: str
    after: timedelta


def verdict(world: World, handset: Handset | None, detection: Detection) -> Verdict:
    """What detection would find, and how long after the answer."""
    machine = handset.machine if handset is not None else None
    assumptions = world.assumptions
    if machine is None:
        answered_by, seconds = "human", assumptions.human_verdict_s
    elif detection.mode == "DetectMessageEnd":
        answered_by, seconds = "machine_end_beep", machine.greeting_s + BEEP_S
    else:
        answered_by, seconds = "machine_start", assumptions.machine_verdict_s
    if seconds > detection.timeout_s:
        answered_by, seconds = "unknown", detection.timeout_s
    return Verdict(answered_by, timedelta(seconds=seconds))
