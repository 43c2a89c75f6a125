"""The tree against the model: keys, kinds and values of each part by itself, in the owner's words."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from configuration.mistake import Mistake
from configuration.model import Configuration, Part
from configuration.numbers import in_e164, never_dialled
from configuration.tree import Spot
from configuration.values import did_you_mean

MISSING = {
    "emergency_number": "the line has no emergency number: nobody would be told what to dial in danger",
    "person": "the override leaves nobody on call",
    "rungs": "the ladder has no rungs",
    "page": "the rung pages nobody",
    "until": "it has no end",
}
EMPTY = {
    "rungs": "the ladder has no rungs",
    "page": "the rung pages nobody",
    "people": "nobody takes turns here",
    "layers": "the rotation has no layers, so nobody is ever on call",
}
KINDS = {
    "string_type": "text is expected",
    "float_type": "a number is expected",
    "int_type": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "bool_type": "true or false is expected",
    "tuple_type": "a list is expected",
    "mapping_type": "a block of keys is expected",
    "dict_type": "a block of keys is expected",
    "model_type": "a block of keys is expected",
    "model_attributes_type": "a block of keys is expected",
}


NOT_DIALLED = "the number of a person or an office, in E.164 form"


@dataclass(frozen=True)
class Place:
    """The part of file and model that a mistake is about."""

    spot: Spot
    key: str
    example: str
    keys: tuple[str, ...]
    choices: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What to write, with its key."""
        return f"{self.key}: {self.example}" if self.key else self.example


@dataclass(frozen=True)
class Shaped:
    """The configuration, where each part by itself is right, and the mistakes."""

    configuration: Configuration | None
    mistakes: tuple[Mistake, ...]


def shaped(root: Spot, country: str) -> Shaped:
    """Read the tree as a configuration, telling every mistake of its parts."""
    if not isinstance(root.value, dict):
        return Shaped(None, (root.mistake("a block of keys is expected", "people, ladders and lines"),))
    try:
        return Shaped(Configuration.model_validate(root.plain()), ())
    except ValidationError as error:
        details = error.errors(include_url=False)
        return Shaped(None, tuple(_mistakes(root, details, country)))


def _mistakes(root: Spot, details: list[ErrorDetails], country: str) -> Iterator[Mistake]:
    for detail in details:
        place = _place(root, detail["loc"])
        # Of "a block, or false", the block's own mistakes are the ones to tell.
        is_other_arm = str(detail["loc"][-1]).startswith("literal[")
        # A list is also too short for pydantic when its items are wrong: those are told by themselves.
        is_echo = detail["type"] == "too_short" and any(_within(detail, other) for other in details)
        if not is_other_arm and not is_echo:
            yield _mistake(place, detail, country)


def _within(outer: ErrorDetails, inner: ErrorDetails) -> bool:
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def _mistake(place: Place, detail: ErrorDetails, country: str) -> Mistake:
    spot, wanted = place.spot, place.wanted
    match detail["type"]:
        case "missing":
            return spot.mistake(MISSING.get(place.key, f"{place.key!r} is missing"), wanted)
        case "extra_forbidden":
            return _unknown_key(place, str(detail["loc"][-1]))
        case "too_short":
            return spot.mistake(EMPTY.get(place.key, "nothing is written here"), wanted)
        case "literal_error":
            known = ", ".join(place.choices)
            instead = did_you_mean(str(spot.value), place.choices, f"one of {known}")
            return spot.mistake(f"{_shown(spot)} is not one of {known}", instead)
        case "number":
            return _not_a_number(spot, detail, country)
        case kind if kind in KINDS:
            return spot.mistake(f"{KINDS[kind]}, not {_shown(spot)}", wanted)
        case _:
            told = detail.get("ctx", {})
            what = str(told.get("what", f"{_shown(spot)} is out of bounds: {detail['msg'].lower()}"))
            return spot.mistake(what, str(told.get("instead", wanted)))


def _unknown_key(place: Place, key: str) -> Mistake:
    known = ", ".join(place.keys)
    spot = place.spot
    if isinstance(spot.value, dict):
        spot = spot.value.get(key, spot)
    return spot.mistake(f"{key!r} is not a key here", did_you_mean(key, place.keys, f"one of {known}"))


def _not_a_number(spot: Spot, detail: ErrorDetails, country: str) -> Mistake:
    told = detail.get("ctx", {})
    text = spot.text() or ""
    if why := never_dialled(text, country):
        return spot.mistake(f"{text} is {why}, which Rung never dials", NOT_DIALLED)
    number = in_e164(text, country)
    what = "a URL is not a telephone number" if "://" in text else str(told.get("what"))
    return spot.mistake(what, number or str(told.get("instead")))


def _shown(spot: Spot) -> str:
    if isinstance(spot.value, dict):
        return "a block of keys"
    if isinstance(spot.value, list):
        return "a list"
    if isinstance(spot.value, bool):
        return str(spot.value).lower()
    text = str(spot.value)
    return "a URL" if "://" in text else repr(text)  # a push URL carries its password


def _place(root: Spot, path: tuple[int | str, ...]) -> Place:
    """Where an error's path leads, as far as the file goes."""
    annotation: object = Configuration
    field: FieldInfo | None = None
    spot, key = root, ""
    for step in path:
        annotation = _structured(annotation)
        if part := _part(annotation):
            inner = _fields(part).get(str(step))
            if inner is None:
                continue  # an unknown key, or pydantic's name for this model among several
            key, field, annotation = str(step), inner, inner.annotation
        elif step != "[key]":
            annotation = get_args(annotation)[-1 if get_origin(annotation) is Mapping else 0]
        spot = _next(spot, step)
    annotation = _structured(annotation)
    part = _part(annotation)
    return Place(
        spot=spot,
        key=key,
        example=str(field.examples[0]) if field and field.examples else "something else",
        keys=tuple(_fields(part)) if part else (),
        choices=tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else (),
    )


def _next(spot: Spot, step: int | str) -> Spot:
    if isinstance(spot.value, list) and isinstance(step, int):
        return spot.value[step]
    return spot.child(str(step)) or spot


def _part(annotation: object) -> type[Part] | None:
    if not isinstance(annotation, type):
        return None
    named = cast("type[object]", annotation)
    return named if issubclass(named, Part) else None


def _fields(part: type[Part]) -> dict[str, FieldInfo]:
    return {str(field.validation_alias or name): field for name, field in part.model_fields.items()}


def _structured(annotation: object) -> object:
    """The annotation without its wrappings; of several, the one with an inside."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    arms = [_structured(arm) for arm in get_args(annotation)]
    return next((arm for arm in arms if arm is not type(None) and get_args(arm) != (False,)), arms[0])
