"""One REST request, read: who asks, for what, with which fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from sandbox.errors import Refused, Unknown
from sandbox.network import Network, method
from sandbox.twiml import Method

INVALID_PARAMETER = 20001


def not_found(path: str) -> Refused:
    return Refused(404, 20404, f"The requested resource {path} was not found")


class Form:
    """Fields of a body or a query; a name may come more than once."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, text: str) -> "Form":
        return cls(parse_qs(text, keep_blank_values=True, max_num_fields=1_000))

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str | None:
        values = self._fields.get(name)
        return values[-1] if values else None

    def need(self, name: str, code: int) -> str:
        value = self.text(name)
        if not value:
            raise Refused(400, code, f"A '{name}' is required")
        return value

    def words(self, name: str, default: str) -> frozenset[str]:
        """Repeated fields, or one with spaces between."""
        values = self._fields.get(name) or self._fields.get(f"{name}[]") or [default]
        return frozenset(word for value in values for word in value.split())

    def flag(self, name: str, *, default: bool) -> bool:
        """Anything but true is false, once it is there."""
        value = self.text(name)
        return default if value is None else value.lower() == "true"

    def flag_if_given(self, name: str) -> bool | None:
        value = self.text(name)
        return None if value is None else value.lower() == "true"

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if value is None or not value:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            raise Refused(400, INVALID_PARAMETER, f"{name} must be {low} to {high}, not {value!r}")
        return int(value)

    def method(self, name: str, default: Method = "POST") -> Method:
        value = self.text(name)
        if not value:
            return default
        try:
            return method(value)
        except Unknown as error:
            raise Refused(400, INVALID_PARAMETER, f"{name}: {error}") from error

    def as_json(self) -> dict[str, object]:
        return {name: values[0] if len(values) == 1 else values for name, values in self._fields.items()}


@dataclass(frozen=True)
class Asked:
    """What a resource gets to see of a request."""

    network: Network
    path: str
    place: Mapping[str, str]
    form: Form
    query: Form

    def not_found(self) -> Refused:
        return not_found(self.path)


@dataclass(frozen=True)
class Answer:
    """Status and JSON; None is an empty body."""

    status: int
    body: Mapping[str, object] | None


class TimeFilter:
    """The three filters of one date: `Name`, `Name<`, `Name>`. A bare date is that day, UTC."""

    def __init__(self, query: Form, name: str) -> None:
        self._on = query.text(name)
        self._until = _instant(query.text(f"{name}<"), name, end_of_day=True)
        self._from = _instant(query.text(f"{name}>"), name, end_of_day=False)
        self._day = _instant(self._on, name, end_of_day=False)
        self.used = any((self._on, self._until, self._from))

    def admits(self, instant: datetime | None) -> bool:
        if not self.used:
            return True
        if instant is None:
            return False
        whole = instant.replace(microsecond=0)
        return (
            (self._until is None or whole <= self._until)
            and (self._from is None or whole >= self._from)
            and (self._day is None or whole.date() == self._day.date())
        )


def _instant(text: str | None, name: str, *, end_of_day: bool) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, INVALID_PARAMETER, f"{name}: {text!r} is no date") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if end_of_day and len(text) == len("2026-01-05"):
        instant += timedelta(days=1) - timedelta(seconds=1)
    return instant.replace(microsecond=0)
