"""The owner's YAML as a tree in which every value knows the line it stands on.

Scalars are read by YAML 1.2's plain rules, for the owner's sake: 10:00 is a time and not 600, NO is a word,
+12025550142 is a telephone number and not arithmetic, 2026-03-02 stays as written.
It knows nothing of what the keys mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from configuration.mistake import Mistake

Scalar = str | int | float | bool | None

MOST_VALUES = 100_000  # an alias of an alias can ask for billions
WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
HINTS = {
    "\\t": "spaces instead of the tab",
    "mapping values are not allowed here": "a text with a colon in quotes, or the key on a line of its own",
    "found unexpected end of stream": "the quote that closes the text",
    "expected ',' or ']'": "a comma between the items, and a ] after the last",
    "expected ',' or '}'": "a comma between the keys, and a } after the last",
    "expected <block end>": "every key of a block, and every dash of a list, in the same column",
    "could not find expected ':'": "a colon and a space after the key",
    "undefined alias": "the name of an anchor above, or the text in quotes",
    "cannot start any token": "the text in quotes",
    "expected a single document": "one document, without --- in the middle",
}


@dataclass(frozen=True)
class Spot:
    """One value, its place in the file, and the path of keys that leads to it."""

    file: str
    line: int
    where: str
    value: "Scalar | dict[str, Spot] | list[Spot]"

    def child(self, key: str) -> "Spot | None":
        """What stands under the key, or None where nothing does."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or found.value is None else found

    def at(self, *keys: str) -> "Spot | None":
        """What stands at the end of several keys."""
        spot: Spot | None = self
        for key in keys:
            spot = spot.child(key) if spot else None
        return spot

    def entries(self, *keys: str) -> Iterator[tuple[str, "Spot"]]:
        """The keys and values of the block at the end of those keys; nothing where there is none."""
        block = self.at(*keys)
        if block and isinstance(block.value, dict):
            yield from block.value.items()

    def items(self, *keys: str) -> Iterator["Spot"]:
        """The items of the list at the end of those keys; a single value counts as a list of one."""
        block = self.at(*keys)
        if block and isinstance(block.value, list):
            yield from block.value
        elif block and isinstance(block.value, str):
            yield block

    def text(self, *keys: str) -> str | None:
        """The text at the end of those keys; a number counts as text."""
        found = self.at(*keys)
        if found is None or found.value is None or isinstance(found.value, bool | dict | list):
            return None
        return str(found.value)

    @property
    def word(self) -> str:
        """The text itself; empty where the value is anything else."""
        return self.value if isinstance(self.value, str) else ""

    def plain(self) -> object:
        """The value without places. A key with nothing behind it counts as left out."""
        if isinstance(self.value, dict):
            return {key: spot.plain() for key, spot in self.value.items() if spot.value is not None}
        if isinstance(self.value, list):
            return [spot.plain() for spot in self.value]
        return self.value

    def mistake(self, what: str, instead: str) -> Mistake:
        """An error at this place."""
        return Mistake(self.file, self.line, self.where, what, instead)

    def warning(self, what: str, instead: str) -> Mistake:
        """A warning at this place."""
        return Mistake(self.file, self.line, self.where, what, instead, "warning")


def read(text: str, file: str) -> tuple[Spot, list[Mistake]]:
    """The tree of the text, empty where it is not YAML, and the mistakes of its form."""
    nothing = Spot(file, 1, "", None)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return nothing, [_not_yaml(error, file)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return nothing, [
            Mistake(file, line, "", "a character that YAML does not allow", "plain text in UTF-8")
        ]
    except RecursionError:
        return nothing, [Mistake(file, 1, "", "lists or blocks nested too deep", "at most a few levels")]
    if node is None:
        return nothing, [nothing.mistake("the file is empty", "people, ladders and lines")]
    reading = _Reading(file)
    root = reading.spot(node, node.start_mark.line + 1, "")
    if root.value is None and not reading.mistakes:
        return root, [root.mistake("the file is empty", "people, ladders and lines")]
    return root, reading.mistakes


def _not_yaml(error: yaml.MarkedYAMLError, file: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "this cannot be read"
    hint = next((hint for sign, hint in HINTS.items() if sign in problem), "YAML that can be read")
    where = f"column {mark.column + 1}" if mark else ""
    return Mistake(file, mark.line + 1 if mark else 1, where, f"not YAML: {problem}", hint)


class _Reading:
    """One walk over PyYAML's nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self._seen = 0
        self._above: set[int] = set()

    def spot(self, node: yaml.Node, line: int, where: str) -> Spot:
        self._seen += 1
        if self._seen > MOST_VALUES or id(node) in self._above:
            if self._seen <= MOST_VALUES + 1:
                self._mistake(
                    line, where, "an alias that contains itself or far too much", "the values themselves"
                )
            return Spot(self.file, line, where, None)
        self._above.add(id(node))
        value = self._value(node, line, where)
        self._above.remove(id(node))
        return Spot(self.file, line, where, value)

    def _value(self, node: yaml.Node, line: int, where: str) -> "Scalar | dict[str, Spot] | list[Spot]":
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._mistake(line, where, f"the tag {node.tag} means nothing here", "the value without it")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._block(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.spot(item, item.start_mark.line + 1, f"{where}[{number}]")
                for number, item in enumerate(node.value, start=1)
            ]
        text: str = node.value
        quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
        return text if quoted else scalar(text)

    def _block(self, node: yaml.MappingNode, where: str) -> "dict[str, Spot]":
        block: dict[str, Spot] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._mistake(line, where, "a list or a block cannot be a key", "a word as the key")
                continue
            key: str = key_node.value
            path = f"{where}.{key}" if where else key
            if key in block:
                first = block[key].line
                self._mistake(line, path, f"{key!r} is already written on line {first}", "each key once")
                continue
            block[key] = self.spot(value_node, line, path)
        return block

    def _mistake(self, line: int, where: str, what: str, instead: str) -> None:
        self.mistakes.append(Mistake(self.file, line, where, what, instead))


def scalar(text: str) -> Scalar:
    """An unquoted scalar by YAML 1.2's core rules; numbers with a plus or a leading zero stay text."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
        return float(text)
    return text
