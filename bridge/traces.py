"""The spans of one stream, in the trace of its call: the stream, its sessions at the model, its tool calls.

Nothing of the audio's way passes here. Without a provider every span is a no-op.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from workflows.tokens import StreamToken
from workflows.traces import about, context_of, tracer

LONGEST_NAME = 40


class StreamTrace:
    """From the stream's start to its end; before the start nothing is noted."""

    def __init__(self) -> None:
        self._leg: StreamToken | None = None
        self._stream: Span = trace.INVALID_SPAN
        self._models: dict[int, Span] = {}

    def started(self, leg: StreamToken, stream: str) -> None:
        """It is known whose stream it is."""
        self._leg = leg
        more: dict[str, str | int | float] = {"rung.generation": leg.generation, "rung.stream": stream}
        self._stream = tracer().start_span(
            "stream", context_of(leg.call), kind=SpanKind.SERVER, attributes=about(leg.call, more)
        )

    @contextmanager
    def attaching(self) -> Generator[None]:
        """Within, the workflow is asked whether this stream may be carried."""
        with self._inside("attach", {}):
            yield

    @contextmanager
    def tool(self, name: str, call_id: str) -> Generator[None]:
        """Within, the workflow does what the model wants done. name: the model's own word, perhaps no tool's."""
        plain = name if name.isidentifier() and len(name) <= LONGEST_NAME else "unknown"
        with self._inside("tool call", {"rung.tool": plain, "rung.tool_call": call_id}):
            yield

    def model_opening(self, link: int) -> None:
        """A session at the model begins."""
        if self._leg is not None:
            self._models[link] = tracer().start_span(
                "model session",
                self._above(),
                kind=SpanKind.CLIENT,
                attributes=about(self._leg.call, {"rung.link": link}),
            )

    def model_opened(self, link: int) -> None:
        """Its socket is open."""
        if (span := self._models.get(link)) is not None:
            span.add_event("opened")

    def model_over(self, link: int, because: str) -> None:
        """It is over; a repeat is ignored."""
        if (span := self._models.pop(link, None)) is not None:
            span.add_event("over", {"because": because})
            span.end()

    def over(self, figures: Mapping[str, float]) -> None:
        """The stream is over, and this is what its sound was like."""
        for link in tuple(self._models):
            self.model_over(link, "the stream is over")
        self._stream.set_attributes({f"rung.{name}": value for name, value in figures.items()})
        self._stream.end()

    @contextmanager
    def _inside(self, name: str, more: Mapping[str, str]) -> Generator[None]:
        if self._leg is None:
            yield
            return
        with tracer().start_as_current_span(
            name, self._above(), attributes=about(self._leg.call, more), record_exception=False
        ):
            yield

    def _above(self) -> Context:
        return trace.set_span_in_context(self._stream, Context())
