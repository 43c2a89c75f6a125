"""Whatever comes in whatever order: rules that hold on every stream."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.effects import CloseModel, OpenModel, ToModel
from bridge.errors import LocalProtocolError
from bridge.model import (
    AppendAudio,
    Configure,
    Ending,
    Forget,
    ItemDone,
    Limits,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    Transcript,
    Trouble,
)
from bridge.session import At
from bridge.twilio_wire import SendClear, SendMedia
from tests.bridge.line import Line
from workflows.assistant import Role
from workflows.voice import Speaker, ToolOutcome

RESPONSES = st.sampled_from(["r1", "r2", "r3", ""])
ITEMS = st.sampled_from(["a", "b", "c"])


class Stream(RuleBasedStateMachine):
    """A stream to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.link = 1
        self.given_ms: dict[str, int] = {}
        self.seen = 0
        self.was_quiet = False

    @rule(response=RESPONSES, item=ITEMS, ms=st.integers(1, 400))
    def sound(self, response: str, item: str, ms: int) -> None:
        self.line.sound(item, ms, response, self.link)
        self.given_ms[item] = self.given_ms.get(item, 0) + ms

    @rule(
        news=st.one_of(
            st.builds(ResponseStarted, RESPONSES, st.sampled_from(["", "say-1", "say-2"])),
            st.builds(ResponseOver, RESPONSES, st.sampled_from(Ending)),
            st.builds(ItemDone, ITEMS),
            st.builds(
                Transcript, st.sampled_from([Speaker.CALLER, Speaker.ASSISTANT]), ITEMS, st.text(max_size=5)
            ),
            st.builds(ToolCalled, RESPONSES, st.sampled_from(["c1", "c2"]), st.just("note"), st.just("{}")),
            st.builds(Trouble, st.just("x"), st.just("y")),
            st.just(Limits("tokens", 1, 2, 3)),
        )
    )
    def news(
        self, news: ResponseStarted | ResponseOver | ItemDone | Transcript | ToolCalled | Trouble
    ) -> None:
        self.line.says(news, link=self.link)

    @rule(speaks=st.booleans())
    def somebody(self, *, speaks: bool) -> None:
        self.line.says(SpeechStarted("u1") if speaks else SpeechStopped("u1"), link=self.link)

    @rule(ms=st.integers(1, 1500))
    def time_passes(self, ms: int) -> None:
        self.line.passes(ms)

    @rule(what=st.sampled_from(["quiet", "role", "say", "context"]), role=st.sampled_from(Role))
    def order(self, what: str, role: Role) -> None:
        try:
            self.line.order(what, role=role, text="words", fact="f")
        except LocalProtocolError:
            assert what == "say"

    @rule(call=st.sampled_from(["c1", "c2", "c3"]), speak=st.booleans())
    def tool_done(self, call: str, *, speak: bool) -> None:
        outcome = ToolOutcome(output="ok", speak=speak)
        self.line.act(self.line.session.tool_done(call, outcome, self.line.now))

    @rule(comes=st.booleans())
    def session_lost(self, *, comes: bool) -> None:
        self.line.act(self.line.session.model_lost(self.link, "cut", self.line.now))
        self.given_ms.clear()
        self.line.passes(100)
        self.link = self.line.of(OpenModel)[-1].link
        if comes:
            self.line.model_is_ready(self.link)

    @rule(at_ms=st.integers(0, 10_000))
    def leg_sounds(self, at_ms: int) -> None:
        self.line.hears(at_ms)

    @invariant()
    def nothing_is_heard_while_quiet(self) -> None:
        if not self.line.session.quiet:
            self.was_quiet = False
            return
        fresh = self.line.effects[self.seen :]
        cleared = [n for n, one in enumerate(fresh) if isinstance(one, SendClear)]
        since = fresh if self.was_quiet else fresh[cleared[-1] :]
        assert not any(isinstance(one, SendMedia) for one in since)
        self.was_quiet = True

    @invariant()
    def nothing_beyond_what_was_given_is_forgotten(self) -> None:
        for effect in self.line.effects[self.seen :]:
            if isinstance(effect, ToModel) and isinstance(effect.order, Forget):
                assert effect.order.heard_ms <= self.given_ms.get(effect.order.item, 10**9)

    @invariant()
    def orders_go_to_sessions_that_are_open_and_configured_first(self) -> None:
        closed: set[int] = set()
        configured: set[int] = set()
        for effect in self.line.effects:
            if isinstance(effect, CloseModel):
                closed.add(effect.link)
            if isinstance(effect, ToModel):
                assert effect.link not in closed
                if isinstance(effect.order, Configure) and effect.order.first:
                    configured.add(effect.link)
                if isinstance(effect.order, AppendAudio | SayExactly | Respond):
                    assert effect.link in configured

    @invariant()
    def the_stream_goes_on(self) -> None:
        assert self.line.session.at is At.CARRIED
        self.seen = len(self.line.effects)


Stream.TestCase.settings = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStream = Stream.TestCase
