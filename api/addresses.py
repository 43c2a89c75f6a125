"""The door's own URLs, as Twilio reaches them: absolute, so that what is signed is what we wrote."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from workflows.tokens import LEG, PAGE, ROOM, LegToken, PageToken, RoomToken, Tokens
from workflows.values import ActKind, CallSid, LineId, PageId


@dataclass(frozen=True)
class Addresses:
    """public_url: without a slash at the end."""

    public_url: str
    tokens: Tokens

    # the caller

    def menu(self, attempt: int) -> str:
        """Where the main menu's key goes."""
        return self._at("/voice/menu", attempt=attempt)

    def category(self, attempt: int) -> str:
        """Where the kind of emergency goes. attempt 0: say the menu first."""
        return self._at("/voice/category", attempt=attempt)

    def reported(self, category: str, asked: int) -> str:
        """Where an emergency is reported anew that the workflow did not answer for."""
        return self._at("/voice/reported", category=category, asked=asked)

    def forwarded(self) -> str:
        """Where it is told how a call in opening hours went."""
        return self._at("/voice/forwarded")

    def called(self, room: str) -> str:
        """Where a caller says that the emergency number was dialled."""
        return self._at("/voice/called", room=room)

    def message(self) -> str:
        """Where a recording is told."""
        return self._at("/voice/message")

    def asked_for_keys(self, about: str) -> str:
        """Where a caller's digits go. about: what they were asked for."""
        return self._at("/voice/keys", about=about)

    def left(self, attempt: int = 1) -> str:
        """What a caller's leg asks when its Dial is over."""
        return self._at("/voice/left", attempt=attempt)

    def wait(self, line: LineId) -> str:
        """What is heard in an empty room."""
        return self._at(f"/voice/wait/{quote(line)}")

    def conference(self, call: CallSid) -> str:
        """Where the events of a call's room are told."""
        return self._at(f"/conference/{quote(call)}")

    # responders

    def page_key(self, token: PageToken, attempt: int) -> str:
        """Where a page call's key goes. attempt: which reading of the pages this is."""
        return self._at(f"/page/{self.tokens.make(PAGE, token)}/key", attempt=attempt)

    def page_again(self, token: PageToken, attempt: int) -> str:
        """Where the pages that are left are read out."""
        return self._at(f"/page/{self.tokens.make(PAGE, token)}/again", attempt=attempt)

    def page_asked(
        self, token: PageToken, page: PageId, kind: ActKind, pressed_at: datetime, asked: int
    ) -> str:
        """Where an act that nobody has answered is asked for anew."""
        path = f"/page/{self.tokens.make(PAGE, token)}/asked"
        return self._at(path, act=kind, page=page, at=pressed_at.isoformat(), asked=asked)

    def room_left(self, token: RoomToken) -> str:
        """What a responder's leg asks when it has left the room."""
        return self._at(f"/room/{self.tokens.make(ROOM, token)}/left")

    def room_menu(self, token: RoomToken, visit: str, *, caller_here: bool, ring_only: bool = False) -> str:
        """Where a key of the menu outside the room goes. visit: this showing of it."""
        query = {"visit": visit, "caller_here": int(caller_here), "ring_only": int(ring_only)}
        return self._at(f"/room/{self.tokens.make(ROOM, token)}/menu", **query)

    def room_rang(self, token: RoomToken) -> str:
        """Where it goes on after the caller was rung back."""
        return self._at(f"/room/{self.tokens.make(ROOM, token)}/rang")

    # the AI's leg

    def leg_resume(self, token: LegToken, since: datetime | None = None) -> str:
        """What the AI's leg asks when its stream is over. since: when it was told to open it."""
        when = {"since": round(since.timestamp())} if since is not None else {}
        return self._at("/ai-leg/resume", leg=self.tokens.make(LEG, token), **when)

    # while Temporal is down

    def fallback_next(self, line: LineId, rung: int) -> str:
        """Where the next one of tonight's rota is rung. rung counts from 1."""
        return self._at("/fallback/next", line=line, rung=rung)

    def fallback_screen(self, line: LineId) -> str:
        """What somebody who answers hears before they are connected."""
        return self._at("/fallback/screen", line=line)

    def fallback_screened(self, key: str) -> str:
        """Where their key goes. key: the one drawn for them."""
        return self._at("/fallback/screened", key=key)

    def fallback_message(self, line: LineId) -> str:
        """Where the recording at the end goes."""
        return self._at("/fallback/message", line=line)

    def _at(self, path: str, **query: object) -> str:
        return f"{self.public_url}{path}" + (f"?{urlencode(query)}" if query else "")
