"""What Calls and Participants share: checking a request to place a call, and reading it."""

from typing import cast

from sandbox.amd import Detection, Mode
from sandbox.calls import Subscription
from sandbox.directory import E164
from sandbox.errors import Refused
from sandbox.exchange import Order
from sandbox.ids import ApplicationSid
from sandbox.rest.asking import INVALID_PARAMETER, Asked, Form

# Emergency numbers are never dialled, not even here.
_ELSEWHERE = ("sip:", "client:")


def checked_ends(asked: Asked) -> tuple[str, str]:
    """From and To of a create. Raises Refused with Twilio's code for what is wrong."""
    to = asked.form.need("To", 21201)
    from_ = asked.form.need("From", 21213)
    _check_to(asked, to)
    _check_from(asked, from_)
    phone = asked.network.directory.phone_at(to)
    if phone is not None and (code := phone.refusal_of_call()) is not None:
        raise Refused(400, code, f"The call to {to} was refused")
    return from_, to


def _check_to(asked: Asked, to: str) -> None:
    if to.startswith("app:"):
        sid = to.removeprefix("app:").partition("?")[0]
        if ApplicationSid(sid) not in asked.network.directory.applications:
            raise Refused(400, 21211, f"Invalid 'To': no application {sid}")
    elif not E164.fullmatch(to) and not to.startswith(_ELSEWHERE):
        raise Refused(400, 21211, f"Invalid 'To' Phone Number: {to}")


def _check_from(asked: Asked, from_: str) -> None:
    if from_.startswith(_ELSEWHERE):
        return
    if not E164.fullmatch(from_):
        raise Refused(400, 21212, f"Invalid 'From' Phone Number: {from_}")
    borrowed = asked.form.text("CallToken") is not None
    if from_ not in asked.network.directory.numbers and not borrowed:
        raise Refused(400, 21210, f"'From' phone number not verified: {from_}")


def read_order(asked: Asked, *, participant: bool) -> Order:
    """The call that is asked for. Raises Refused."""
    form = asked.form
    from_, to = checked_ends(asked)
    subscription = form.text("StatusCallback")
    return Order(
        from_=from_,
        to=to,
        timeout_s=form.whole("Timeout", 60, 5 if participant else 1, 600),
        time_limit_s=form.whole("TimeLimit", 0, 0, 86_400) or None,
        send_digits=form.text("SendDigits") or "",
        subscriptions=(
            Subscription(
                subscription,
                form.method("StatusCallbackMethod"),
                form.words("StatusCallbackEvent", "completed"),
            ),
        )
        if subscription
        else (),
        detection=_detection(form, participant=participant),
        fallback_url=form.text("FallbackUrl") or "",
        fallback_method=form.method("FallbackMethod"),
    )


def _detection(form: Form, *, participant: bool) -> Detection | None:
    if participant and any(name in form for name in ("AsyncAmd", "AsyncAmdStatusCallback")):
        raise Refused(400, 21263, "AsyncAmd is not allowed on Participants")
    mode = form.text("MachineDetection")
    if not mode or form.text("SendDigits"):
        return None
    if mode not in {"Enable", "DetectMessageEnd"}:
        raise Refused(400, INVALID_PARAMETER, f"Invalid MachineDetection: {mode}")
    prefix = "AmdStatusCallback" if participant else "AsyncAmdStatusCallback"
    return Detection(
        mode=cast("Mode", mode),
        beside=participant or form.flag("AsyncAmd", default=False),
        callback_url=form.text(prefix) or "",
        callback_method=form.method(f"{prefix}Method"),
        timeout_s=form.whole("MachineDetectionTimeout", 30, 3, 59),
    )
