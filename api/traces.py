"""The span of a webhook, in the trace of the call it is about. Names the route, never what was sent."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from fastapi import Request
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from workflows.traces import about, begin, call_in, context_of, tracer
from workflows.values import CallSid

RINGS_IN = "/voice/incoming"
CALLERS = (
    "/voice/"  # below it, Twilio's own CallSid is the caller's; elsewhere it may be a page's or the AI's
)
NAMES = ("FriendlyName", "Name")


@contextmanager
def webhook_span(request: Request, sent: Mapping[str, str]) -> Generator[None]:
    """Within, the webhook is answered; one that names no call of ours has no span."""
    call = call_of(request.url.path, request.url.query, sent)
    if call is None:
        yield
        return
    name = f"{request.method} {getattr(request.scope.get('route'), 'path', '?')}"
    if request.url.path == RINGS_IN:
        span = begin(call, name)
    else:
        span = tracer().start_span(name, context_of(call), kind=SpanKind.SERVER, attributes=about(call))
    with trace.use_span(span, end_on_exit=True, record_exception=False):
        yield


def call_of(path: str, query: str, sent: Mapping[str, str]) -> CallSid | None:
    """The caller's call that a webhook is about, as far as it says so in the open."""
    named = call_in(query) or next((call for name in NAMES if (call := call_in(sent.get(name, "")))), None)
    if named is None and path.startswith(CALLERS) and (sid := sent.get("CallSid")):
        return CallSid(sid)
    return named
