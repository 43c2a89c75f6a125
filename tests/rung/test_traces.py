"""One trace a call: who adds to it, where each span hangs, and what it never carries."""

import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, Status, StatusCode
from starlette.requests import Request
from temporalio.client import OutboundInterceptor, SignalWorkflowInput, StartWorkflowInput

from api.traces import call_of, webhook_span
from bridge.traces import StreamTrace
from rung.call_traces import CallTraces
from rung.trace_kit import Ids, Masked
from rung.traces import TracesError, sending, wanted
from workflows.tokens import StreamToken
from workflows.traces import call_in, context_of, root_id, trace_id, tracer
from workflows.values import CallSid


@dataclass(frozen=True)
class Spans:
    """What was sent."""

    memory: InMemorySpanExporter

    def __getitem__(self, name: str) -> ReadableSpan:
        return next(span for span in self.memory.get_finished_spans() if span.name == name)

    @property
    def all(self) -> Sequence[ReadableSpan]:
        return self.memory.get_finished_spans()


@pytest.fixture(scope="module")
def memory() -> Generator[InMemorySpanExporter]:
    """OpenTelemetry takes one provider a process, for good."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(Masked(memory)))
    trace.set_tracer_provider(provider)
    yield memory
    provider.shutdown()


@pytest.fixture
def spans(memory: InMemorySpanExporter) -> Spans:
    memory.clear()
    return Spans(memory)


@pytest.fixture
def call() -> CallSid:
    return CallSid(f"CA{secrets.token_hex(16)}")


def context(span: ReadableSpan) -> SpanContext:
    found: SpanContext | None = span.context
    assert found is not None
    return found


def above(span: ReadableSpan) -> int | None:
    """The id of the span it hangs under."""
    return None if span.parent is None else span.parent.span_id


def webhook(path: str, query: str = "") -> Request:
    scope: dict[str, Any] = {"type": "http", "method": "POST", "headers": [], "scheme": "http"}
    return Request({**scope, "path": path, "query_string": query.encode(), "server": ("door", 80)})


# Whether, and where to


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "console"}, None),
    ],
)
def test_traces_are_sent_where_opentelemetrys_environment_says(
    environment: Mapping[str, str], where: str | None
) -> None:
    assert wanted(environment) == where


def test_an_exporter_there_is_not_is_refused_with_what_there_is() -> None:
    with (
        pytest.raises(TracesError, match="otlp, console and none"),
        sending("worker", {"OTEL_TRACES_EXPORTER": "zipkin"}),
    ):
        pass


def test_unasked_nothing_is_added_to_temporals_clients() -> None:
    with sending("worker", {}) as interceptors:
        assert interceptors == ()


# One trace


def test_a_call_begins_its_trace_with_the_webhook_by_which_it_rings_in(spans: Spans, call: CallSid) -> None:
    with webhook_span(webhook("/voice/incoming"), {"CallSid": call, "From": "+12025550199"}):
        pass
    (root,) = spans.all
    assert (context(root).trace_id, context(root).span_id) == (trace_id(call), root_id(call))
    assert root.parent is None


def test_whoever_knows_the_call_hangs_its_spans_under_that_webhook(spans: Spans, call: CallSid) -> None:
    tracer().start_span("elsewhere", context_of(call)).end()
    assert context(spans["elsewhere"]).trace_id == trace_id(call)
    assert above(spans["elsewhere"]) == root_id(call)


def test_what_is_asked_inside_a_webhook_hangs_under_that_webhook(spans: Spans, call: CallSid) -> None:
    with webhook_span(webhook("/voice/ended"), {"CallSid": call}), tracer().start_as_current_span("asked"):
        pass
    ended = next(span for span in spans.all if span.name.startswith("POST"))
    assert above(spans["asked"]) == context(ended).span_id
    assert above(ended) == root_id(call)


@pytest.mark.parametrize(
    ("path", "query", "sent", "known"),
    [
        ("/voice/menu", "", {"CallSid": "CA" + "1" * 32}, True),
        ("/conference/x", "", {"CallSid": "CA" + "9" * 32, "FriendlyName": "af-CA" + "1" * 32}, True),
        ("/page/status", "ring=escalation-CA" + "1" * 32 + ".1", {"CallSid": "CA" + "9" * 32}, True),
        ("/page/key", "", {"CallSid": "CA" + "9" * 32}, False),
    ],
)
def test_a_webhook_belongs_to_the_callers_call_and_never_to_a_pages(
    path: str, query: str, sent: Mapping[str, str], *, known: bool
) -> None:
    assert call_of(path, query, sent) == ("CA" + "1" * 32 if known else None)


@pytest.mark.parametrize("name", ["call-{}", "escalation-{}", "escalation-{}.2", "af-{}"])
def test_workflows_and_rooms_are_named_after_their_call(name: str, call: CallSid) -> None:
    assert call_in(name.format(call)) == call


class Server(OutboundInterceptor):
    """What comes after ours: notes the trace it is asked in."""

    def __init__(self) -> None:
        self.asked_in: list[SpanContext] = []

    async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002  # the SDK's name for it
        self.asked_in.append(trace.get_current_span().get_span_context())

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002  # the SDK's name for it
        self.asked_in.append(trace.get_current_span().get_span_context())


def signal(workflow_id: str) -> SignalWorkflowInput:
    return SignalWorkflowInput(
        id=workflow_id,
        run_id=None,
        signal="turns",
        args=[],
        headers={},
        rpc_metadata={},
        rpc_timeout=None,
    )


async def test_a_word_to_a_calls_workflow_is_in_the_calls_trace_whoever_says_it(call: CallSid) -> None:
    server = Server()
    await CallTraces().intercept_client(server).signal_workflow(signal(f"call-{call}"))
    assert server.asked_in[0].trace_id == trace_id(call)


async def test_a_span_of_the_call_that_is_under_way_stays_above(spans: Spans, call: CallSid) -> None:
    server = Server()
    with tracer().start_as_current_span("attach", context_of(call)):
        await CallTraces().intercept_client(server).signal_workflow(signal(f"call-{call}"))
    assert server.asked_in[0].span_id == context(spans["attach"]).span_id


async def test_a_persons_workflow_has_no_call_of_its_own() -> None:
    server = Server()
    await CallTraces().intercept_client(server).signal_workflow(signal("responder-ana"))
    assert not server.asked_in[0].is_valid


# A stream


def test_a_streams_sessions_and_tool_calls_hang_under_it(spans: Spans, call: CallSid) -> None:
    stream = StreamTrace()
    stream.started(StreamToken(call, 2, "nonce"), "MZ1")
    with stream.attaching():
        pass
    stream.model_opening(1)
    stream.model_opened(1)
    with stream.tool("escalate", "call_1"):
        pass
    stream.over({"first_audio_ms": 412.0})

    assert above(spans["stream"]) == root_id(call)
    assert {above(spans[name]) for name in ("attach", "model session", "tool call")} == {
        context(spans["stream"]).span_id
    }
    assert (spans["stream"].attributes or {})["rung.first_audio_ms"] == 412.0
    assert (spans["tool call"].attributes or {})["rung.tool"] == "escalate"


def test_a_stream_that_nobody_claimed_leaves_no_trace(spans: Spans) -> None:
    stream = StreamTrace()
    stream.model_opening(1)
    with stream.tool("escalate", "call_1"):
        pass
    stream.over({})
    assert spans.all == ()


# Nothing personal


def test_what_the_model_calls_a_tool_that_is_none_is_not_sent(spans: Spans, call: CallSid) -> None:
    stream = StreamTrace()
    stream.started(StreamToken(call, 1, "nonce"), "MZ1")
    with stream.tool("ring Ana on +1 202 555 0111", "call_1"):
        pass
    assert (spans["tool call"].attributes or {})["rung.tool"] == "unknown"


def test_telephone_numbers_leave_no_process(spans: Spans, call: CallSid) -> None:
    with tracer().start_as_current_span("activity", context_of(call)) as span:
        span.set_attribute("because", "+12025550111 is busy")
        span.add_event("refused", {"why": "Twilio refused to call +12025550111"})
        span.set_status(Status(StatusCode.ERROR, "no answer of +12025550111"))
    sent = spans["activity"].to_json()
    assert "2025550111" not in sent
    assert sent.count("+1•••0111") + sent.count("+1\\u2022\\u2022\\u20220111") == 3


def test_a_webhooks_span_names_its_route_and_nothing_that_was_sent(spans: Spans, call: CallSid) -> None:
    request = webhook("/announce/a-signed-token", f"room=af-{call}")
    with webhook_span(request, {"From": "+12025550199", "SpeechResult": "my husband fell"}):
        pass
    (span,) = spans.all
    assert not {"a-signed-token", "fell", "0199"} & set(span.to_json().replace('"', " ").split())
    assert dict(span.attributes or {}) == {"rung.call": call}
