"""Was anybody forgotten, or woken twice? The telephone network's own record, held against what the story asks.

Counted are things that reach people: page calls and join calls by `call.created`, page texts, page pushes. A lost
callback or a late one changes nothing of it, and nothing of it is our own word.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.night.journal import Record
from tests.night.owners_file import Line

PAGE_WORDS = "to take it"  # of a page by SMS or push; replies and questions to an owner have other words


@dataclass(frozen=True)
class Reached:
    """How often a person was reached on each channel."""

    calls: int = 0
    texts: int = 0
    pushes: int = 0

    def __str__(self) -> str:
        return f"{self.calls}/{self.texts}/{self.pushes}"


@dataclass(frozen=True)
class Allowance:
    """What may be more than the story asks, and by which rule."""

    because: str
    calls: int = 0
    texts: int = 0
    pushes: int = 0


NONE = Allowance("")


def reached(line: Line, records: Iterable[Record]) -> dict[str, Reached]:
    """How often each person of this line was reached, by their name in the story."""
    calls, texts, pushes = Counter[str](), Counter[str](), Counter[str]()
    for record in records:
        if record.kind == "call.created" and record.says("from") == line.number:
            calls[record.says("to")] += 1
        elif record.kind == "message.created" and PAGE_WORDS in record.says("body"):
            texts[record.says("to")] += 1
        elif record.kind == "push" and PAGE_WORDS in str(record.details.get("body")):
            pushes[record.says("person")] += 1
    prefix = f"{line.key}-"
    return {
        person.key.removeprefix(prefix): Reached(
            calls[person.number], texts[person.number], pushes[person.key]
        )
        for person in line.people
    }


def complaints(
    asked: Mapping[str, Reached], seen: Mapping[str, Reached], allowed: Allowance = NONE
) -> list[str]:
    """What is wrong: a page that was lost, a page that was doubled; nothing, if all is well."""
    found: list[str] = []
    for name in sorted({*asked, *seen}):
        wanted, had = asked.get(name, Reached()), seen.get(name, Reached())
        for channel, least, count, more in (
            ("calls", wanted.calls, had.calls, allowed.calls),
            ("texts", wanted.texts, had.texts, allowed.texts),
            ("pushes", wanted.pushes, had.pushes, allowed.pushes),
        ):
            if count < least:
                found.append(f"lost: {name} had {count} {channel}, the story asks for {least}")
            if count > least + more:
                rule = f" ({allowed.because} allows {more} more)" if more else ""
                found.append(f"doubled: {name} had {count} {channel}, the story asks for {least}{rule}")
    return found
