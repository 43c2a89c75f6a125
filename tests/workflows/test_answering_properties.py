"""Any conversation, in any order: it is never left alone, nobody is let go while people are woken for them."""

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.workflows.night import ana, at
from tests.workflows.test_answering import Conversation
from workflows.assistant import Role
from workflows.call import due_at
from workflows.call_news import Due, KeysPressed, LetGo, NotSent, SendCaller, StartEscalation
from workflows.call_state import CallerAt
from workflows.tools import TOOLS
from workflows.values import FactKind, Severity
from workflows.voice import Speaker

WORDS = ["hello", "I smell gas", "no smoke", "goodbye", "help is on the way", "", "¿está ahí?"]
ARGUMENTS: dict[str, dict[str, object]] = {
    "escalate": {"category": "water", "severity": "urgent", "reason": "pipe"},
    "take_message": {"text": "bins"},
    "set_contact": {"call_back": "+12025550142"},
    "ask_for_keys": {"purpose": "yes_or_no"},
    "hand_over": {"agent": "plumbing"},
    "note": {"text": "dry"},
    "look_up": {"question": "where"},
    "set_eta": {"minutes": 5},
    "assign": {"person": "Ben"},
    "call_in": {"person": "Ben"},
}
FACTS: list[FactKind] = ["danger", "placing", "ringing", "next", "taken", "exhausted", "reopened"]


class AnyConversation(RuleBasedStateMachine):
    """A caller who came to talk."""

    talk: Conversation

    @initialize(attended=st.booleans())
    def a_caller_comes(self, attended: bool) -> None:  # hypothesis gives it
        """With the AI there, or not yet."""
        self.talk = Conversation(attended=attended)

    @rule(speaker=st.sampled_from(Speaker), text=st.sampled_from(WORDS))
    def somebody_speaks(self, speaker: Speaker, text: str) -> None:
        """Whoever."""
        self.talk.says(speaker, text)

    @rule(tool=st.sampled_from(sorted(TOOLS.keys() - {"known_incidents"})), life=st.booleans())
    def the_ai_asks(self, tool: str, life: bool) -> None:
        """For anything, in any role."""
        arguments = dict(ARGUMENTS.get(tool, {}))
        if tool == "escalate" and life:
            arguments["severity"] = Severity.LIFE
        waits = self.talk.call.escalation is not None and not self.talk.call.resolved
        said_goodbye = self.talk.call.talk.said_goodbye
        self.talk.asks(tool, **json.loads(json.dumps(arguments)))
        if tool == "end_call" and waits and not said_goodbye:
            assert self.talk.call.talk.leaving_at is None

    @rule(kind=st.sampled_from(FACTS), nth=st.integers(0, 3))
    def there_is_news(self, kind: FactKind, nth: int) -> None:
        """From the escalation."""
        if self.talk.call.escalation is not None:
            self.talk.is_told(kind, f"{kind}{nth}")

    @rule(back=st.booleans())
    def the_voice_fails(self, back: bool) -> None:
        """Or is back."""
        self.talk.troubled(back=back)

    @rule(digits=st.sampled_from(["", "412"]))
    def keys_are_pressed(self, digits: str) -> None:
        """Or none."""
        self.talk.hears(KeysPressed("place", digits, at(self.talk.now)))

    @rule()
    def sending_fails(self) -> None:
        """The caller could not be taken out of the room."""
        self.talk.hears(NotSent(at(self.talk.now)))

    @rule()
    def the_caller_enters(self) -> None:
        """Again."""
        self.talk.caller_waits()

    @rule()
    def a_responder_comes_and_goes(self) -> None:
        """Ana."""
        self.talk.comes(ana)
        self.talk.hangs_up(ana)

    @rule()
    def a_step_succeeds(self) -> None:
        """Of the AI's leg."""
        if self.talk.call.step is not None:
            self.talk.step_succeeds()

    @rule()
    def the_timer_fires(self) -> None:
        """At its instant, and the next one is later."""
        then = max(at(self.talk.now), due_at(self.talk.call))
        before = self.talk.call
        self.talk.hears(Due(then))
        assert due_at(self.talk.call) > then
        if any(isinstance(effect, SendCaller) for effect in self.talk.last):
            assert before.escalation is None
        if any(isinstance(effect, LetGo) for effect in self.talk.last):
            assert before.caller is CallerAt.ROOM

    @invariant()
    def one_emergency_is_one_escalation(self) -> None:
        """However often it is reported."""
        if hasattr(self, "talk") and not self.talk.call.resolved:
            assert len(self.talk.ever(StartEscalation)) <= 1

    @invariant()
    def the_ai_is_gone_where_nobody_is(self) -> None:
        """A caller in the menu has no AI to talk with."""
        if hasattr(self, "talk") and self.talk.call.caller is CallerAt.MENU and not self.talk.call.legs:
            assert self.talk.call.wanted.role is Role.GONE


TestAnyConversation = AnyConversation.TestCase
TestAnyConversation.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
