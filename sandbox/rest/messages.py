"""Messages: create, list, fetch, update, delete."""

from collections.abc import Iterator

from sandbox.directory import E164
from sandbox.errors import Refused
from sandbox.messages import DEFAULT_VALIDITY_S, Message
from sandbox.rest.asking import INVALID_PARAMETER, Answer, Asked, TimeFilter
from sandbox.rest.paging import page
from sandbox.rest.render import message_json

LONGEST_BODY = 1_600


def create(asked: Asked) -> Answer:
    form = asked.form
    to = form.need("To", 21604)
    from_ = form.need("From", 21603)
    body = form.need("Body", 21602)
    if not E164.fullmatch(to):
        raise Refused(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if not E164.fullmatch(from_):
        raise Refused(400, 21212, f"Invalid 'From' Phone Number: {from_}")
    if from_ not in asked.network.directory.numbers:
        raise Refused(400, 21606, f"The 'From' number {from_} is not yours")
    if len(body) > LONGEST_BODY:
        raise Refused(400, 21617, f"The message body exceeds {LONGEST_BODY} characters")
    message = asked.network.messages.send(
        from_,
        to,
        body,
        callback=form.text("StatusCallback") or "",
        validity_s=form.whole("ValidityPeriod", DEFAULT_VALIDITY_S, 1, DEFAULT_VALIDITY_S),
    )
    return Answer(201, message_json(message))


def list_all(asked: Asked) -> Answer:
    return page(asked, "messages", _matching(asked), message_json)


def _matching(asked: Asked) -> Iterator[Message]:
    to, from_ = asked.query.text("To"), asked.query.text("From")
    sent = TimeFilter(asked.query, "DateSent")
    for message in asked.network.messages.newest_first():
        if (
            (to is None or message.to == to)
            and (from_ is None or message.from_ == from_)
            and sent.admits(message.sent or message.created)
        ):
            yield message


def _message(asked: Asked) -> Message:
    message = asked.network.messages.get(asked.place["sid"])
    if message is None:
        raise asked.not_found()
    return message


def fetch(asked: Asked) -> Answer:
    return Answer(200, message_json(_message(asked)))


def update(asked: Asked) -> Answer:
    message = _message(asked)
    status = asked.form.text("Status")
    if status not in {None, "", "canceled"}:
        raise Refused(400, INVALID_PARAMETER, f"Invalid Status: {status}")
    if status and not asked.network.messages.cancel(message):
        raise Refused(409, 30409, f"The message is {message.status.value} already")
    if asked.form.text("Body") == "":
        message.body = ""
    return Answer(200, message_json(message))


def delete(asked: Asked) -> Answer:
    message = _message(asked)
    if not message.status.final:
        raise Refused(409, 20009, "A message on its way cannot be deleted")
    asked.network.messages.forget(message.sid)
    return Answer(204, None)
