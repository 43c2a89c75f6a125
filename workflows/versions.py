"""What all messages have in common: the version of the build that made them."""

from dataclasses import dataclass
from typing import TypeVar

from workflows.values import Act

VERSION = 1

M = TypeVar("M", bound="Message | Act")


class NotUnderstoodError(Exception):
    """A message of another version: says which message, and both versions."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What all messages have in common."""

    version: int = VERSION


def understood(message: M) -> M:
    """The message, if this build speaks its version; raises NotUnderstoodError by name otherwise."""
    if message.version != VERSION:
        name = type(message).__name__
        raise NotUnderstoodError(
            f"{name} version {message.version} is not understood here (this build speaks {VERSION})"
        )
    return message
