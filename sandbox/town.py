"""The town file: numbers, applications, phones and faults, read and put into a network.

Behaviours and steps have the same form here and in the control API: a word (`busy`), or a
mapping whose first key names it (`answer: 3`).
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import yaml

from sandbox.assumptions import Assumptions
from sandbox.errors import TownError, Unknown
from sandbox.faults import Fault, FaultKind
from sandbox.ids import AccountSid
from sandbox.network import Network
from sandbox.phones import (
    Answers,
    Busy,
    CallBehaviour,
    Delivers,
    HangUp,
    Held,
    Hum,
    Loses,
    NoAnswer,
    Noise,
    PlayFile,
    Press,
    PressHeard,
    Refuses,
    Say,
    SayOver,
    Stay,
    Step,
    TextBehaviour,
    Undeliverable,
    Unreachable,
    Voicemail,
    Wait,
    WaitFor,
    WhenHeard,
)
from sandbox.sound import wav
from sandbox.world import Account

_VARIABLE = re.compile(r"\$\{(\w+)\}")

Mapped = Mapping[str, object]

HERE = Path(os.curdir)  # where sound files lie that no town file names


@dataclass(frozen=True)
class Town:
    """A town file after its variables were filled in. `folder` is where it lies."""

    content: Mapped
    folder: Path

    @classmethod
    def read(cls, path: Path | str, variables: Mapping[str, str] | None = None) -> "Town":
        """Raises TownError: no file, no YAML, an unknown variable."""
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise TownError(f"cannot read {file}: {error.strerror}") from error
        return cls.parse(text, variables, file.parent)

    @classmethod
    def parse(
        cls, text: str, variables: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> "Town":
        try:
            raw: object = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise TownError(f"not YAML: {error}") from error
        content = _filled(raw if raw is not None else {}, variables or {})
        return cls(_mapping(content, "the town file"), folder or HERE)

    @property
    def account(self) -> Account | None:
        if "account" not in self.content:
            return None
        account = _mapping(self.content["account"], "account")
        default = Account()
        return Account(
            AccountSid(_text(account.get("sid", default.sid), "account.sid")),
            _text(account.get("token", default.token), "account.token"),
        )

    def number_of(self, name: str, default: float) -> float:
        """A top-level number, such as calls_per_second."""
        return _number(self.content.get(name, default), name)

    @property
    def assumptions(self) -> Assumptions:
        """The default ones with what the file says otherwise."""
        said = _mapping(self.content.get("assumptions", {}), "assumptions")
        return assumptions_from(said)

    def move_in(self, network: Network) -> None:
        """Set everything up. Raises TownError, naming the place."""
        try:
            self._move_in(network)
        except (Unknown, ValueError) as error:
            raise TownError(str(error)) from error

    def _move_in(self, network: Network) -> None:
        for entry in _mappings(self.content.get("applications", []), "applications"):
            add_application(network, entry)
        for entry in _mappings(self.content.get("numbers", []), "numbers"):
            add_number(network, entry)
        for entry in _mappings(self.content.get("phones", []), "phones"):
            number = _text(entry.get("number"), "phones.number")
            set_phone(network, number, entry, self.folder)
        for name, document in _mapping(self.content.get("static", {}), "static").items():
            network.static[name] = self._document(name, _mapping(document, f"static.{name}"))
        network.faults.add(
            *(fault_from(entry) for entry in _mappings(self.content.get("faults", []), "faults"))
        )
        if self.content.get("pessimistic"):
            network.assume_the_worst(pessimistic=True)
        for entry in _mappings(self.content.get("dials", []), "dials"):
            _plan_dial(network, entry, self.folder)

    def _document(self, name: str, entry: Mapped) -> str:
        if "text" in entry:
            return _text(entry["text"], f"static.{name}.text")
        file = self.folder / _text(entry.get("file"), f"static.{name}.file")
        try:
            return file.read_text(encoding="utf-8")
        except OSError as error:
            raise TownError(f"static.{name}: cannot read {file}: {error.strerror}") from error


def add_application(network: Network, entry: Mapped) -> str:
    """An application as the town file describes it. Gives its SID."""
    hooks = {name: _text(value, name) for name, value in entry.items()}
    if "name" not in hooks:
        raise TownError("an application needs a name")
    name = hooks.pop("name")
    return network.add_application(name, sid=hooks.pop("sid", None), **hooks).sid


def add_number(network: Network, entry: Mapped) -> str:
    """A number as the town file describes it. Gives its SID."""
    hooks = {name: _text(value, name) for name, value in entry.items()}
    if "number" not in hooks:
        raise TownError("a number needs its number")
    number = hooks.pop("number")
    application = hooks.pop("voice_application", None)
    name = hooks.pop("name", "")
    return network.add_number(number, name=name, application=application, **hooks).sid


def set_phone(network: Network, number: str, entry: Mapped, folder: Path = HERE) -> None:
    """Make a phone or change what it does; what is not mentioned stays. folder: where its sound files lie."""
    calls = [call_behaviour(item, folder) for item in _list(entry.get("calls", []), "calls")]
    texts = [text_behaviour(item) for item in _list(entry.get("texts", []), "texts")]
    phone = network.add_phone(number, name=_text(entry.get("name", ""), "name"))
    phone.voice = _text(entry.get("voice", phone.voice), "voice")
    phone.language = _text(entry.get("language", phone.language), "language")
    if calls:
        phone.on_calls(*calls)
    if texts:
        phone.on_texts(*texts)


def _plan_dial(network: Network, entry: Mapped, folder: Path) -> None:
    from_, to = _text(entry.get("from"), "dials.from"), _text(entry.get("to"), "dials.to")
    steps = steps_from(entry.get("steps", []), folder)
    spoken = {name: entry[name] for name in ("voice", "language") if name in entry}
    if spoken:
        set_phone(network, from_, spoken)
    at = timedelta(seconds=_number(entry.get("at", 0), "dials.at"))
    network.clock.call_at(network.clock.now() + at, lambda: _discard(network.dial(from_, to, *steps)))


def _discard(_: object) -> None:
    """A timer's act gives nothing."""


# ── behaviours ────────────────────────────────────────────────────────────────────────


def call_behaviour(item: object, folder: Path = HERE) -> CallBehaviour:
    """One entry of `calls`. Raises TownError."""
    match _named(item, "a call behaviour"):
        case "no_answer", _, _:
            return NoAnswer()
        case "busy", _, _:
            return Busy()
        case "unreachable", _, _:
            return Unreachable()
        case "held", _, _:
            return Held()
        case "refuse", code, _:
            return Refuses(_whole(code, "refuse"))
        case "answer", after, rest:
            seconds = _number(0 if after is None else after, "answer")
            return Answers(seconds, *steps_from(rest.get("steps", []), folder))
        case "voicemail", after, rest:
            default = Voicemail()
            return Voicemail(
                _number(default.after_s if after is None else after, "voicemail"),
                _number(rest.get("greeting", default.greeting_s), "greeting"),
                _number(rest.get("records", default.records_s), "records"),
                _text(rest.get("says", default.says), "says"),
            )
        case name, _, _:
            raise TownError(f"a phone cannot {name!r} on a call")


def text_behaviour(item: object) -> TextBehaviour:
    """One entry of `texts`. Raises TownError."""
    match _named(item, "a text behaviour"):
        case "deliver", after, _:
            return Delivers(_number(2 if after is None else after, "deliver"))
        case "reply_heard", pattern, rest:
            after_s = _number(rest.get("after", 3), "after")
            return Delivers(reply_heard=_pattern(pattern), reply_after_s=after_s)
        case "reply", text, rest:
            after_s = _number(rest.get("after", 3), "after")
            return Delivers(reply=_text(text, "reply"), reply_after_s=after_s)
        case "undelivered", code, _:
            return Undeliverable(_whole(30003 if code is None else code, "undelivered"))
        case "refuse", code, _:
            return Refuses(_whole(code, "refuse"))
        case "lost", _, _:
            return Loses()
        case name, _, _:
            raise TownError(f"a phone cannot {name!r} with a message")


def steps_from(items: object, folder: Path = HERE) -> tuple[Step, ...]:
    """The entries of `steps`. Raises TownError."""
    return tuple(_step(item, folder) for item in _list(items, "steps"))


def _step(item: object, folder: Path) -> Step:
    match _named(item, "a step"):
        case "wait", seconds, _:
            return Wait(_number(seconds, "wait"))
        case "press", digits, _:
            return Press(_text(digits, "press"))
        case "press_heard", pattern, _:
            return PressHeard(_pattern(pattern))
        case "wait_for", pattern, _:
            return WaitFor(_pattern(pattern))
        case "say", text, _:
            return Say(_text(text, "say"))
        case "say_over", text, rest:
            pattern = rest.get("when_heard")
            return SayOver(
                _text(text, "say_over"),
                None if pattern is None else _pattern(pattern),
                _number(rest.get("after", 1), "after"),
            )
        case "when_heard", pattern, _:
            return WhenHeard(_pattern(pattern))
        case "play", file, _:
            return _sound(folder / _text(file, "play"))
        case "hum", seconds, _:
            return Hum(_number(1 if seconds is None else seconds, "hum"))
        case "noise", level_db, _:
            return Noise(_number(-40 if level_db is None else level_db, "noise"))
        case "stay", _, _:
            return Stay()
        case "hang_up", _, _:
            return HangUp()
        case name, _, _:
            raise TownError(f"{name!r} is no step")


def _sound(file: Path) -> PlayFile:
    try:
        return PlayFile(file.name, wav.read(file.read_bytes()))
    except (OSError, wav.NotASound) as error:
        raise TownError(f"cannot play {file}: {error}") from error


def fault_from(entry: Mapped) -> Fault:
    """A fault as file and control API describe it. Raises TownError."""
    said = dict(entry)
    try:
        kind = FaultKind(_text(said.pop("kind", None), "faults.kind"))
    except ValueError as error:
        raise TownError(f"{error}: see docs/sandbox.md, Faults") from error
    known = {field.name for field in fields(Fault)}
    if unknown := set(said) - known:
        raise TownError(f"a fault has no {', '.join(sorted(unknown))}")
    number = said.get("number")
    times, code = said.get("times"), said.get("code")
    return Fault(
        kind=kind,
        on=_text(said.get("on", ""), "faults.on"),
        number=None if number is None else _text(number, "faults.number"),
        probability=_number(said.get("probability", 1.0), "faults.probability"),
        times=None if times is None else _whole(times, "faults.times"),
        skip=_whole(said.get("skip", 0), "faults.skip"),
        seconds=_number(said.get("seconds", 0.0), "faults.seconds"),
        code=None if code is None else _whole(code, "faults.code"),
    )


def assumptions_from(said: Mapped) -> Assumptions:
    """Assumptions by name; the type of each is that of its default. Raises TownError."""
    default = Assumptions()
    chosen: dict[str, object] = {}
    for name, value in said.items():
        if not hasattr(default, name) or callable(getattr(default, name)):
            raise TownError(f"{name} is no assumption")
        wanted: object = getattr(default, name)
        match wanted:
            case bool():
                chosen[name] = bool(value)
            case int():
                chosen[name] = _whole(value, name)
            case float():
                chosen[name] = _number(value, name)
            case frozenset():
                chosen[name] = frozenset(_text(item, name) for item in _list(value, name))
            case _:
                chosen[name] = _text(value, name)
    return replace(default, **chosen)  # type: ignore[arg-type]  # checked by name above


# ── reading ───────────────────────────────────────────────────────────────────────────


def _named(item: object, what: str) -> tuple[str, object, Mapped]:
    """A word, or the first key of a mapping with its value and the rest."""
    if isinstance(item, str):
        return item, None, {}
    mapping = _mapping(item, what)
    if not mapping:
        raise TownError(f"{what} is empty")
    name = next(iter(mapping))
    return name, mapping[name], {key: mapping[key] for key in mapping if key != name}


def _filled(value: object, variables: Mapping[str, str]) -> object:
    """The same, with every ${NAME} replaced."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found.group(1), variables), value)
    if isinstance(value, list):
        return [_filled(item, variables) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        mapping = cast("dict[object, object]", value)
        # YAML takes a bare `on` for a truth; in a town file it is the name of a field.
        return {"on" if key is True else str(key): _filled(item, variables) for key, item in mapping.items()}
    return value


def _variable(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise TownError(f"${{{name}}} is not set: give --set {name}=VALUE")
    return variables[name]


def _mapping(value: object, what: str) -> Mapped:
    if not isinstance(value, dict):
        raise TownError(f"{what} must be a mapping")
    return cast("Mapped", value)


def _mappings(value: object, what: str) -> list[Mapped]:
    return [_mapping(item, f"an entry of {what}") for item in _list(value, what)]


def _list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise TownError(f"{what} must be a list")
    return cast("list[object]", value)


def _text(value: object, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TownError(f"{what} must be a text")
    return str(value)


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TownError(f"{what} must be a number")
    return float(value)


def _whole(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TownError(f"{what} must be a whole number")
    return value


def _pattern(value: object) -> str:
    text = _text(value, "a pattern")
    try:
        re.compile(text)
    except re.error as error:
        raise TownError(f"{text!r} is no pattern: {error}") from error
    return text
