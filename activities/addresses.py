"""Where the provider finds our door: the URLs that calls, messages and rooms are made with.

The paths are the door's (`api`); what must not be guessed or altered travels in a signed token.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from workflows.tokens import FACT, LEG, LINK, PAGE, FactToken, LegToken, LinkToken, PageToken, Tokens
from workflows.values import CallSid, EscalationId, HoldSound, LineId, PageId, PersonId, RingId


@dataclass(frozen=True)
class Addresses:
    """The door's URLs. public_url: as Twilio reaches it, without a slash at the end."""

    public_url: str
    tokens: Tokens

    def page(self, token: PageToken) -> str:
        """What a page call asks when it is answered."""
        return f"{self.public_url}/page/{self.tokens.make(PAGE, token)}"

    def page_status(self, person: PersonId, ring: RingId) -> str:
        """Where a page call's progress is told."""
        return f"{self.public_url}/page/status?{urlencode({'person': person, 'ring': ring})}"

    def text_status(self, escalation: EscalationId, page: PageId) -> str:
        """Where an SMS's progress is told."""
        return f"{self.public_url}/sms/status?{urlencode({'escalation': escalation, 'page': page})}"

    def link(self, token: LinkToken) -> str:
        """The link in an SMS or a push: shows the page, and accepts it."""
        return f"{self.public_url}/a/{self.tokens.make(LINK, token)}"

    def announcement(self, token: FactToken) -> str:
        """What a leg in a room is played."""
        return f"{self.public_url}/announce/{self.tokens.make(FACT, token)}"

    def hold(self, line: LineId | None, sound: HoldSound) -> str | None:
        """What a leg on hold hears; None: Twilio's own music. line: whose words they are, if they are words."""
        if sound == "words" and line is not None:
            return f"{self.public_url}/hold/words/{quote(line)}"
        return None if sound == "music" else f"{self.public_url}/hold/silence"

    def conference_status(self, call: CallSid) -> str:
        """Where the events of a call's room are told."""
        return f"{self.public_url}/conference/{quote(call)}"

    def caller_menu(self) -> str:
        """The menu, for a caller who is taken out of the room."""
        return f"{self.public_url}/voice/menu/again"

    def caller_keys(self, about: str) -> str:
        """Where a caller is asked for digits."""
        return f"{self.public_url}/voice/keys/ask?{urlencode({'about': about})}"

    def assistant_status(self, token: LegToken) -> str:
        """Where the end of an AI leg is told."""
        return f"{self.public_url}/ai-leg/status?{urlencode({'leg': self.tokens.make(LEG, token)})}"

    def assistant(self, application_sid: str, token: LegToken) -> str:
        """Whom to add to a room as its AI leg: our application, told which leg of which call it is."""
        return f"app:{application_sid}?{urlencode({'leg': self.tokens.make(LEG, token)})}"
