"""Calls: create, list, fetch, update, delete."""

from collections.abc import Iterator

from sandbox.calls import Call, CallStatus
from sandbox.errors import Refused
from sandbox.exchange import Order
from sandbox.ids import ApplicationSid
from sandbox.interpreter import Fetch, Inline, Source
from sandbox.rest.asking import INVALID_PARAMETER, Answer, Asked, TimeFilter
from sandbox.rest.calling import read_order
from sandbox.rest.paging import page
from sandbox.rest.render import call_json

LONGEST_TWIML = 4_000


def create(asked: Asked) -> Answer:
    order = read_order(asked, participant=False)
    source, order = _document(asked, order)
    call = asked.network.exchange.place(order, source)
    return Answer(201, call_json(call))


def _document(asked: Asked, order: Order) -> tuple[Source, Order]:
    """What the call runs, and the order with an application's own callbacks."""
    form = asked.form
    if (url := form.text("Url")) is not None and url:
        return Fetch(_absolute(url), form.method("Method")), order
    if (text := form.text("Twiml")) is not None:
        return _inline(text), order
    application = asked.network.directory.applications.get(ApplicationSid(form.text("ApplicationSid") or ""))
    if application is None:
        raise Refused(400, 21205, "A Url, Twiml or ApplicationSid is required")
    hooks = application.hooks
    own = Order(
        from_=order.from_,
        to=order.to,
        timeout_s=order.timeout_s,
        time_limit_s=order.time_limit_s,
        send_digits=order.send_digits,
        detection=order.detection,
        fallback_url=hooks.voice_fallback_url,
        fallback_method=hooks.voice_fallback_method,
    )
    return Fetch(hooks.voice_url, hooks.voice_method), own


def _absolute(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise Refused(400, 21205, f"Url is not a valid URL: {url}")
    return url


def _inline(text: str) -> Inline:
    if len(text) > LONGEST_TWIML:
        raise Refused(400, INVALID_PARAMETER, f"Twiml is longer than {LONGEST_TWIML} characters")
    return Inline(text)


def list_all(asked: Asked) -> Answer:
    return page(asked, "calls", _matching(asked), call_json)


def _matching(asked: Asked) -> Iterator[Call]:
    query = asked.query
    to, from_, parent = query.text("To"), query.text("From"), query.text("ParentCallSid")
    status = query.text("Status")
    started, ended = TimeFilter(query, "StartTime"), TimeFilter(query, "EndTime")
    queued_too = asked.network.world.assumptions.queued_calls_match_start_time
    for call in asked.network.calls.newest_first(to=to, from_=from_):
        start = call.started or (call.created if queued_too else None)
        if (
            (parent is None or call.parent == parent)
            and (status is None or call.status.value == status)
            and started.admits(start)
            and ended.admits(call.ended)
        ):
            yield call


def _call(asked: Asked) -> Call:
    call = asked.network.calls.get(asked.place["sid"])
    if call is None:
        raise asked.not_found()
    return call


def fetch(asked: Asked) -> Answer:
    return Answer(200, call_json(_call(asked)))


def update(asked: Asked) -> Answer:
    call = _call(asked)
    form = asked.form
    exchange = asked.network.exchange
    status = form.text("Status")
    if status not in {None, "", "canceled", "completed"}:
        raise Refused(400, INVALID_PARAMETER, f"Invalid Status: {status}")
    source = _redirection(asked)
    if source is not None and call.status is not CallStatus.IN_PROGRESS:
        raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
    leg = exchange.legs.get(call.sid)
    if leg is not None:
        if (fallback := form.text("FallbackUrl")) is not None:
            leg.fallback_url, leg.fallback_method = fallback, form.method("FallbackMethod")
        if limit := form.whole("TimeLimit", 0, 0, 86_400):
            leg.limit(limit)
    if status == "completed":
        exchange.complete(call)
    elif status == "canceled":
        exchange.cancel(call)
    elif source is not None and not exchange.redirect(call, source):
        raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
    return Answer(200, call_json(call))


def _redirection(asked: Asked) -> Source | None:
    form = asked.form
    if url := form.text("Url"):
        return Fetch(_absolute(url), form.method("Method"), (), "redirect")
    if (text := form.text("Twiml")) is not None:
        return _inline(text)
    return None


def delete(asked: Asked) -> Answer:
    call = _call(asked)
    if not call.status.over:
        raise Refused(409, 20409, "A call in progress cannot be deleted")
    asked.network.calls.forget(call.sid)
    return Answer(204, None)
