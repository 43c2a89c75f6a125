"""Reading fields out of JSON that somebody else wrote, with the API's own words for what is wrong with it."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sandbox.speech.errors import Refusal

Json: TypeAlias = dict[str, object]

MOST_AUDIO: Final = 15 * 1024 * 1024  # bytes of base64 in one field
_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    type(None): "null",
}


@dataclass(frozen=True)
class Fields:
    """A JSON object and the path by which its client knows it."""

    content: Mapping[str, object]
    path: str = ""

    def where(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return name in self.content

    def given(self, name: str) -> object:
        """The value, or None where it is null or absent."""
        return self.content.get(name)

    def only(self, known: Iterable[str]) -> None:
        """Raises Refusal for the first field that is not known."""
        for name in self.content:
            if name not in set(known):
                where = self.where(name)
                raise Refusal(f"Unknown parameter: '{where}'.", code="unknown_parameter", param=where)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._present(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def maybe_text(self, name: str) -> str | None:
        return None if self.given(name) is None else self.text(name)

    def one_of(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            offered = ", ".join(f"'{choice}'" for choice in choices)
            where = self.where(name)
            message = f"Invalid value: '{value}'. Supported values are: {offered}."
            raise Refusal(message, code="invalid_value", param=where)
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._present(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "a boolean", value)
        return value

    def whole(self, name: str, default: int | None, least: int, most: int) -> int:
        value = self._present(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "an integer", value)
        self._within(name, value, least, most)
        return value

    def number(self, name: str, default: float | None, least: float, most: float) -> float:
        value = self._present(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a decimal", value)
        self._within(name, value, least, most)
        return float(value)

    def nested(self, name: str) -> "Fields":
        value = self._present(name, None)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return Fields(cast("Json", value), self.where(name))

    def maybe_nested(self, name: str) -> "Fields | None":
        return None if self.given(name) is None else self.nested(name)

    def members(self, name: str) -> Sequence[object]:
        value = self._present(name, None)
        if not isinstance(value, list):
            raise self._wrong(name, "an array", value)
        return cast("Sequence[object]", value)

    def objects(self, name: str) -> "Iterator[Fields]":
        """The members of a list of objects, each with its own path."""
        for index, value in enumerate(self.members(name)):
            where = f"{name}[{index}]"
            if not isinstance(value, dict):
                raise self._wrong(where, "an object", value)
            yield Fields(cast("Json", value), self.where(where))

    def _present(self, name: str, default: object) -> object:
        value = self.content.get(name, default)
        if value is None and name not in self.content:
            where = self.where(name)
            message = f"Missing required parameter: '{where}'."
            raise Refusal(message, code="missing_required_parameter", param=where)
        return value

    def _within(self, name: str, value: float, least: float, most: float) -> None:
        where = self.where(name)
        if not value >= least:  # nor is what is no number
            message = f"Invalid '{where}': expected a value >= {least}, but got {value} instead."
            raise Refusal(message, code="integer_below_min_value", param=where)
        if value > most:
            message = f"Invalid '{where}': expected a value <= {most}, but got {value} instead."
            raise Refusal(message, code="integer_above_max_value", param=where)

    def _wrong(self, name: str, expected: str, value: object) -> Refusal:
        where = self.where(name)
        got = _NAMES.get(type(value), "an object" if isinstance(value, dict) else "an array")
        message = f"Invalid type for '{where}': expected {expected}, but got {got} instead."
        return Refusal(message, code="invalid_type", param=where)


def audio_bytes(fields: Fields, name: str) -> bytes:
    """Raises Refusal where it is no base64, or too much of it."""
    text = fields.text(name)
    where = fields.where(name)
    if len(text) > MOST_AUDIO:
        message = f"Invalid '{where}': string too long. Expected at most {MOST_AUDIO} bytes."
        raise Refusal(message, code="string_above_max_length", param=where)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        message = f"Invalid '{where}'. Expected base64-encoded audio bytes, but got an invalid value."
        raise Refusal(message, code="invalid_value", param=where) from None
