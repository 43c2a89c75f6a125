"""What was said: sound that was heard and words that were written, brought together as turns.

The model writes words long before they are heard, and others' words long after. So a turn of the assistant's is told
once both are known, with the words that were heard; a turn of somebody else's when its words come, by the time at
which they were spoken.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.ears import Ears
from bridge.mirror import Mirror
from bridge.model import Transcript
from bridge.playback import Played
from workflows.voice import Speaker, Turn

REMEMBERED = 64  # items whose words or sound are still awaited; the oldest are let go
TURNS_AT_MOST = 500  # told each second while the workflow answers; the oldest are let go when it does not


@dataclass(eq=False)
class Saying:
    """Something to be said word for word."""

    id: str
    text: str
    fact: str | None
    tries: int = 0
    response: str = ""


@dataclass
class Spoken:
    """An item of the assistant's. broken: the model session was lost before all its sound had come."""

    response: str
    saying: Saying | None
    whispered: bool
    text: str = ""
    whole_text: bool = False
    played: Played | None = None
    at_s: float = 0.0
    broken: bool = False


@dataclass
class _Heard:
    """Somebody's words, until their transcript comes."""

    began_s: float
    ended_s: float | None = None


class Words:
    """The turns of one stream. unix_s: what a clock shows when `now` is 0. told: the number of the next to be told."""

    def __init__(self, unix_s: float, began_s: float, told_of: Callable[[Turn, int], None]) -> None:
        """began_s: when the stream began: its turns are numbered from there, in milliseconds of Unix time.

        A leg that resumes on another bridge so goes on with higher numbers, without asking anybody.
        told_of: called with each turn and the model session that said it (0: said by somebody else).
        """
        self.ears = Ears()
        self.mirror = Mirror()
        self.turns: deque[Turn] = deque()
        self.told = round((unix_s + began_s) * 1000)
        self._unix_s = unix_s
        self._told_of = told_of
        self._spoken: dict[str, Spoken] = {}
        self._heard: dict[str, _Heard] = {}

    def spoken(self, item: str) -> Spoken | None:
        """The assistant's item by this id, until it is told."""
        return self._spoken.get(item)

    def begins(self, item: str, response: str, saying: Saying | None, *, whispered: bool) -> Spoken:
        """The assistant has a new item."""
        _make_room(self._spoken)
        spoken = self._spoken[item] = Spoken(response, saying, whispered)
        return spoken

    def said_any_of(self, saying: Saying) -> bool:
        """Whether any sound of this has come and was not told yet."""
        return any(spoken.saying is saying for spoken in self._spoken.values())

    def speech_began(self, item: str, now: float) -> None:
        """Somebody begins to speak."""
        _make_room(self._heard)
        self._heard[item] = _Heard(now)

    def speech_ended(self, item: str, now: float) -> None:
        """They have stopped."""
        if (heard := self._heard.get(item)) is not None:
            heard.ended_s = now

    def written(self, news: Transcript, now: float) -> None:
        """Words of an item have come."""
        if news.who is Speaker.CALLER:
            self._somebody_said(news, now)
        elif (spoken := self._spoken.get(news.item)) is not None and not spoken.whole_text:
            spoken.text = news.text if news.whole else spoken.text + news.text
            spoken.whole_text = news.whole
            self._tell_spoken(news.item, spoken)

    def played(self, played: Played, now: float) -> None:
        """So much of an item was heard, and no more will be."""
        spoken = self._spoken.get(played.item)
        if spoken is not None:
            spoken.played = played
            spoken.at_s = now - played.heard_ms / 1000
            self._tell_spoken(played.item, spoken)

    def response_over(self, response: str) -> None:
        """No more words of this response come."""
        for item, spoken in list(self._spoken.items()):
            if spoken.response == response:
                spoken.whole_text = True
                self._tell_spoken(item, spoken)

    def session_lost(self) -> None:
        """No more words, nor sound, of anything come."""
        for item, spoken in list(self._spoken.items()):
            spoken.broken = spoken.broken or not spoken.whole_text
            spoken.whole_text = True
            self._tell_spoken(item, spoken)

    def taken(self, count: int) -> None:
        """The workflow has so many more of the turns."""
        for _ in range(min(count, len(self.turns))):
            self.turns.popleft()
        self.told += count

    def never_said(self, saying: Saying, now: float) -> None:
        """This could not be said."""
        if saying.fact is not None:
            self._tell(Turn(Speaker.ASSISTANT, "", self._instant(now), whole=False, fact=saying.fact), 0)

    def _somebody_said(self, news: Transcript, now: float) -> None:
        heard = self._heard.pop(news.item, None) or _Heard(now, now)
        words = news.text.strip()
        if not words:
            return
        ended_s = heard.ended_s if heard.ended_s is not None else now
        speaker, _ = self.ears.who(self._unix_s + heard.began_s, self._unix_s + ended_s)
        self._tell(Turn(speaker, words, self._instant(heard.began_s), item=news.item), 0)

    def _tell_spoken(self, item: str, spoken: Spoken) -> None:
        if spoken.played is None or not spoken.whole_text:
            return
        del self._spoken[item]
        whole = spoken.played.whole and not spoken.broken
        words = (spoken.text if spoken.played.whole else heard_part(spoken.text, spoken.played)).strip()
        fact = spoken.saying.fact if spoken.saying is not None else None
        if words or fact is not None:
            at = self._instant(spoken.at_s)
            turn = Turn(Speaker.ASSISTANT, words, at, whole, fact, item, spoken.whispered)
            self._tell(turn, spoken.played.link)

    def _tell(self, turn: Turn, link: int) -> None:
        if len(self.turns) >= TURNS_AT_MOST:
            self.taken(1)  # the oldest is let go; the numbers show it
        self.turns.append(turn)
        if turn.text:
            self.mirror.add(turn, turn.at.timestamp())
        self._told_of(turn, link)

    def _instant(self, at_s: float) -> datetime:
        return datetime.fromtimestamp(self._unix_s + at_s, UTC)


def heard_part(text: str, played: Played) -> str:
    """About the words that were heard, as speech is even enough; never half a word."""
    if not played.heard_ms or not played.received_ms:
        return ""
    until = len(text) * played.heard_ms // played.received_ms
    return text if until >= len(text) else text[:until].rpartition(" ")[0]


def _make_room(kept: "dict[str, Spoken] | dict[str, _Heard]") -> None:
    while len(kept) >= REMEMBERED:
        del kept[next(iter(kept))]
