"""A page: one attempt to reach one responder on one rung, with its evidence per channel.

planned → queued → submitted | submission-unknown → reached → answered → unanswered | failed | withdrawn.
Callbacks come late, doubled and out of order, so a channel only ever moves forward; see `moved`.
Knows nothing of rungs' clocks or of who has the case.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workflows.values import Channel, PageId, Responder


class Standing(StrEnum):
    """How far a page has come on one channel; each is a different fact with its own evidence."""

    ABSENT = "absent"
    QUEUED = "queued"
    UNKNOWN = "submission-unknown"
    HELD = "held: we hold this phone already"
    SUBMITTED = "submitted"
    REACHED = "reached"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


# A later standing replaces an earlier one; a straggler never takes it back.
_ORDER = {
    Standing.QUEUED: 0,
    Standing.UNKNOWN: 1,
    Standing.HELD: 2,
    Standing.SUBMITTED: 3,
    Standing.REACHED: 4,
    Standing.ANSWERED: 5,
    Standing.UNANSWERED: 6,
    Standing.FAILED: 6,
    Standing.WITHDRAWN: 6,
}
_REACHED = {Standing.REACHED, Standing.ANSWERED}
ON_ITS_WAY = {Standing.HELD, Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED, Standing.UNANSWERED}
OVER = frozenset({Standing.UNANSWERED, Standing.FAILED, Standing.WITHDRAWN, Standing.ABSENT})


@dataclass(frozen=True)
class Evidence:
    """What we know of one channel of a page, and since when.

    provider_id: the provider's own id (call SID, message SID). error: the provider's words.
    """

    standing: Standing = Standing.ABSENT
    provider_id: str | None = None
    at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True)
class Page:
    """One attempt to reach one responder on one rung. rung is -1 for the last resort, -2 for a way in.

    code: the digits an SMS must carry. rings counts the calls asked for.
    reached_a_phone: some handset is known to have rung or shown it; stays true when it is rung again.
    """

    id: PageId
    responder: Responder
    rung: int
    round: int
    code: str
    voice: Evidence = Evidence()
    text: Evidence = Evidence()
    push: Evidence = Evidence()
    rings: int = 0
    declined: bool = False
    reached_a_phone: bool = False

    def on(self, channel: Channel) -> Evidence:
        """The evidence on one channel."""
        return {Channel.VOICE: self.voice, Channel.TEXT: self.text, Channel.PUSH: self.push}[channel]

    @property
    def hopeless(self) -> bool:
        """Nobody can answer this page any more: declined, or every channel failed for good."""
        channels = [
            e.standing for e in (self.voice, self.text, self.push) if e.standing is not Standing.ABSENT
        ]
        return self.declined or all(standing is Standing.FAILED for standing in channels)


LAST_RESORT = -1
WAY_IN = -2


def planned(
    page_id: PageId, responder: Responder, *, rung: int, round_: int, seed: str, at: datetime
) -> Page:
    """A page about to be sent on every channel the person has."""
    waiting = Evidence(Standing.QUEUED, at=at)
    has = responder.channels
    return Page(
        id=page_id,
        responder=responder,
        rung=rung,
        round=round_,
        code=drawn_code(seed, page_id),
        voice=waiting if Channel.VOICE in has else Evidence(),
        text=waiting if Channel.TEXT in has else Evidence(),
        push=waiting if Channel.PUSH in has else Evidence(),
        rings=1 if Channel.VOICE in has else 0,
    )


def moved(page: Page, channel: Channel, to: Evidence) -> Page:
    """The page with news on one channel; stale or doubled news changes nothing."""
    was = page.on(channel)
    if was.standing is Standing.ABSENT or _ORDER[to.standing] < _ORDER[was.standing]:
        return page
    if _ORDER[to.standing] == _ORDER[was.standing] and was.standing is not to.standing:
        return page  # two different ends: the first one stands
    keep = replace(to, provider_id=to.provider_id or was.provider_id)
    if to.standing in _REACHED and channel is not Channel.PUSH:
        page = replace(page, reached_a_phone=True)
    match channel:
        case Channel.VOICE:
            return replace(page, voice=keep)
        case Channel.TEXT:
            return replace(page, text=keep)
        case Channel.PUSH:
            return replace(page, push=keep)


def rung_again(page: Page, at: datetime) -> Page:
    """The page with a further call asked for; its voice starts anew."""
    return replace(page, voice=Evidence(Standing.QUEUED, at=at), rings=page.rings + 1)


def drawn_code(seed: str, page_id: PageId) -> str:
    """Four digits for an SMS reply, drawn per page and unguessable without the escalation's seed."""
    digest = hashlib.blake2b(page_id.encode(), key=seed.encode()[:64], digest_size=8).digest()
    return f"{int.from_bytes(digest) % 9000 + 1000}"
