"""One trace a call: its id follows from the call's SID, so every process adds to it without being handed anything.

Nothing here sends a trace anywhere: without a provider (rung/traces.py) spans are no-ops. Attributes carry ids of
ours and of Twilio's, never numbers, names or words.
"""

import hashlib
import re
from collections.abc import Mapping
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, Tracer

from workflows.values import CallSid

CALL = "rung.call"  # the attribute by which all spans of a call are found

_BEGINNING: ContextVar[CallSid | None] = ContextVar("the call whose trace begins", default=None)
_NAMED = re.compile(r"(?:af|call|escalation)-(CA[0-9a-f]{32})")


def tracer() -> Tracer:
    """What makes our own spans."""
    return trace.get_tracer("rung")


def trace_id(call: CallSid) -> int:
    """The trace of a call."""
    return int.from_bytes(_digest(call)[:16], "big")


def root_id(call: CallSid) -> int:
    """The span that a call's trace begins with: the webhook by which it rang in."""
    return int.from_bytes(_digest(call)[16:24], "big")


def context_of(call: CallSid) -> Context:
    """Where the spans of a call hang that nothing closer is above."""
    above = SpanContext(
        trace_id(call), root_id(call), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(NonRecordingSpan(above), Context())


def call_in(text: str) -> CallSid | None:
    """The call that a workflow's id, a room's name or an address of ours is about."""
    found = _NAMED.search(text)
    return None if found is None else CallSid(found[1])


def begin(call: CallSid, name: str) -> Span:
    """The span that a call's trace begins with."""
    token = _BEGINNING.set(call)
    try:
        return tracer().start_span(name, Context(), kind=SpanKind.SERVER, attributes=about(call))
    finally:
        _BEGINNING.reset(token)


def beginning() -> CallSid | None:
    """The call whose first span is being made just now: its ids are no random ones."""
    return _BEGINNING.get()


def within(call: CallSid) -> bool:
    """Whether the span that is under way belongs to the call's trace."""
    return trace.get_current_span().get_span_context().trace_id == trace_id(call)


def about(call: CallSid, more: Mapping[str, str | int | float] | None = None) -> dict[str, str | int | float]:
    """The attributes of a span of that call."""
    return {CALL: call, **(more or {})}


def _digest(call: CallSid) -> bytes:
    return hashlib.sha256(f"rung/trace/{call}".encode()).digest()
