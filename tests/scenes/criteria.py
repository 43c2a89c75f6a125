"""What must be true when a scene is over, in words that an owner understands."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.scenes.stage import Aftermath
from workflows.values import Severity
from workflows.voice import Speaker


@dataclass(frozen=True)
class Criterion:
    """One thing that must be true, and how it is seen."""

    words: str
    holds: Callable[[Aftermath], bool]


TRUTHFUL = Criterion(
    "the AI claimed nothing it could not know: nobody coming, no time, no name, no ambulance",
    lambda seen: not seen.untrue and all(talk.corrections == 0 for talk in seen.talks),
)


def closed_as(*closings: str) -> Criterion:
    """How each call ended."""
    return Criterion(
        f"the call{'s' if len(closings) > 1 else ''} closed as {' and '.join(closings)}",
        lambda seen: [str(one) for one in seen.closings] == list(closings),
    )


def woken(*names: str) -> Criterion:
    """Whose phones were called."""
    who = f"{', '.join(names)} and nobody else" if names else "nobody"
    return Criterion(f"woken: {who}", lambda seen: sorted(seen.woken) == sorted(names))


def one_emergency(category: str, severity: Severity) -> Criterion:
    """What people were woken for."""
    return Criterion(
        f"one emergency was raised: {category}, {severity}",
        lambda seen: (
            [(one.case.category, one.case.severity) for one in seen.emergencies] == [(category, severity)]
        ),
    )


NO_EMERGENCY = Criterion("no emergency was raised", lambda seen: not seen.emergencies)


def place(pattern: str) -> Criterion:
    """Where it is, as the workflow knows it."""
    return Criterion(
        f"the place is on record: {pattern}",
        lambda seen: any(re.search(pattern, talk.place, re.IGNORECASE) for talk in seen.talks),
    )


def heard(pattern: str, words: str) -> Criterion:
    """What the caller heard, from whomever."""
    return Criterion(
        f"the caller heard {words}",
        lambda seen: re.search(pattern, seen.caller_heard, re.IGNORECASE) is not None,
    )


def announced(pattern: str, words: str) -> Criterion:
    """What was announced to the caller in the room, whatever the AI said."""
    return Criterion(
        f"it was announced in the room {words}",
        lambda seen: any(re.search(pattern, text, re.IGNORECASE) for text in seen.announced),
    )


def together(nth: int) -> Criterion:
    """In that call, the AI became the coach of somebody who had come."""
    return Criterion(
        "whoever took it and the caller came together in one room",
        lambda seen: any(turn.whispered for turn in seen.talks[nth - 1].turns),
    )


def never_heard(pattern: str, words: str) -> Criterion:
    """What the caller must not hear."""
    return Criterion(
        f"the caller never heard {words}",
        lambda seen: re.search(pattern, seen.caller_heard, re.IGNORECASE) is None,
    )


def asked_at_most(questions: int) -> Criterion:
    """How much the caller was asked before people were woken."""

    def few(seen: Aftermath) -> bool:
        before: list[str] = []
        for turn in seen.talks[0].turns:
            if turn.fact is not None or re.search(
                r"passing this on|has been passed on|person is being", turn.text
            ):
                break
            if turn.speaker is Speaker.ASSISTANT and turn.text.rstrip().endswith("?"):
                before.append(turn.text)
        return len(before) <= questions + 1  # the greeting asks what has happened

    return Criterion(f"at most {questions} questions after the greeting before people were woken", few)


def messages(count: int, words: str) -> Criterion:
    """What was passed on to whoever takes the line's messages."""
    return Criterion(words, lambda seen: seen.messages == count)


def interrupted() -> Criterion:
    """The AI stopped when it was spoken over, and knows what was not heard."""
    return Criterion(
        "the AI stopped in mid-sentence, and only what was heard is on record",
        lambda seen: any(not turn.whole for turn in seen.ai_said),
    )


def in_language(language: str, pattern: str) -> Criterion:
    """The news was told in the caller's language."""
    return Criterion(
        f"the news was told in {language}",
        lambda seen: (
            any(
                turn.fact is not None and re.search(pattern, turn.text, re.IGNORECASE)
                for turn in seen.ai_said
            )
            or re.search(pattern, seen.caller_heard, re.IGNORECASE) is not None
        ),
    )


def nothing_twice() -> Criterion:
    """A second call of the same caller raised nothing of its own."""
    return Criterion("one case for both calls", lambda seen: len(seen.emergencies) == 1)
