"""OpenTelemetry's own machinery, put together. Needs the packages of the extra `traces`."""

import sys
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Status
from opentelemetry.util.types import AttributeValue
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor

from rung.call_traces import CallTraces
from rung.logs import mask
from workflows.traces import beginning, root_id, trace_id, tracer


class Ids(RandomIdGenerator):
    """Random, but for the span a call's trace begins with."""

    def generate_span_id(self) -> int:
        call = beginning()
        return super().generate_span_id() if call is None else root_id(call)

    def generate_trace_id(self) -> int:
        call = beginning()
        return super().generate_trace_id() if call is None else trace_id(call)


class Masked(SpanExporter):
    """Sends spans on without telephone numbers: the message of an error may hold one."""

    def __init__(self, to: SpanExporter) -> None:
        self._to = to

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._to.export([masked(span) for span in spans])

    def shutdown(self) -> None:
        self._to.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._to.force_flush(timeout_millis)


def begin(service: str, where: str) -> Callable[[], None]:
    """Send this process's spans to `otlp` or `console` from now on; gives what ends it, with all of them sent."""
    made = provider(service, exporter(where))
    trace.set_tracer_provider(made)
    return made.shutdown


def provider(service: str, to: SpanExporter) -> TracerProvider:
    """What makes the spans of a process. The service's name gives way to OTEL_SERVICE_NAME."""
    resource = Resource.create({"service.name": f"rung-{service}"})
    made = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(Masked(to)))
    return made


def interceptors() -> Sequence[Interceptor]:
    """What makes spans of what is asked of workflows, and of what they order."""
    return CallTraces(), TracingInterceptor(tracer())


def exporter(where: str) -> SpanExporter:
    """Where `otlp` or `console` sends spans; standard output is kept for READY."""
    return ConsoleSpanExporter(out=sys.stderr) if where == "console" else OTLPSpanExporter()


def masked(span: ReadableSpan) -> ReadableSpan:
    """The same span without telephone numbers."""
    status = span.status
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        _masked(span.attributes),
        [Event(event.name, _masked(event.attributes), event.timestamp) for event in span.events],
        span.links,
        span.kind,
        status=Status(status.status_code, status.description and mask(status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _masked(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    return {
        name: mask(value) if isinstance(value, str) else value for name, value in (attributes or {}).items()
    }
