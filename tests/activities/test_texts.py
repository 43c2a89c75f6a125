"""SMS: a page says what it may, once, and one in doubt is found by its code."""

from dataclasses import replace
from datetime import timedelta

import pytest

from activities.texts import VALID_S
from sandbox.faults import FaultKind
from sandbox.phones import Refuses
from tests.activities.town import ANA, CASE, LINE_NUMBER, NOW, TOKENS, Town, forms, query, responder
from workflows.orders import FindText, Found, SendText
from workflows.tokens import LINK, LinkToken
from workflows.values import EscalationId, PageId, PersonId, Responder

PAGE = SendText("page", PageId("page-0"), EscalationId("escalation-0"), responder(), CASE, "4711")


def sent(town: Town) -> dict[str, object]:
    [record] = town.requests("POST", "/Messages.json")
    return dict(forms(record))


async def test_a_page_by_text_has_code_link_and_a_short_life(town: Town) -> None:
    submission = await town.environment.run(town.texts.send_text, PAGE)

    form = sent(town)
    body = str(form["Body"])
    assert submission.what == "placed"
    assert (form["To"], form["From"], form["ValidityPeriod"]) == (ANA, LINE_NUMBER, str(VALID_S))
    assert "Reply 4711 to take it" in body
    link = body.rpartition(" ")[2]
    assert link.startswith(f"{town.public_url}/a/")
    token = TOKENS.open(LINK, link.rpartition("/")[2])
    assert token == LinkToken(PersonId("ana"), PageId("page-0"), EscalationId("escalation-0"))


async def test_the_fate_of_a_text_is_told_for_its_page(town: Town) -> None:
    await town.environment.run(town.texts.send_text, PAGE)

    callback = sent(town)["StatusCallback"]
    assert str(callback).startswith(f"{town.public_url}/sms/status?")
    assert query(callback) == {"escalation": "escalation-0", "page": "page-0"}


async def test_an_owner_is_asked_by_a_link_and_not_by_a_code(town: Town) -> None:
    await town.environment.run(town.texts.send_text, replace(PAGE, kind="ask-owner"))

    body = str(sent(town)["Body"])
    assert "still open and yours" in body
    assert "4711" not in body


async def test_a_callers_number_is_never_in_a_page(town: Town) -> None:
    case = replace(CASE, contact="+12025550199")

    await town.environment.run(town.texts.send_text, replace(PAGE, case=case))

    assert "5550199" not in str(sent(town))


async def test_somebody_who_opted_out_is_refused_for_good(town: Town) -> None:
    town.ana.on_texts(Refuses(21610))

    submission = await town.environment.run(town.texts.send_text, PAGE)

    assert submission.what == "refused"
    assert "21610" in (submission.error or "")


@pytest.mark.parametrize("number", [None, "911", "+1911", "+19005550100"])
async def test_nothing_is_sent_where_nothing_may_be_sent(town: Town, number: str | None) -> None:
    to = Responder(PersonId("ana"), "Ana", text_to=number)

    submission = await town.environment.run(town.texts.send_text, replace(PAGE, to=to))

    assert submission.what == "refused"
    assert town.requests("POST", "/Messages.json") == []


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.REPLY_DROPPED])
async def test_a_text_in_doubt_is_not_sent_again_and_is_found_by_its_code(
    town: Town, kind: FaultKind
) -> None:
    town.fault(kind, "messages.create")

    submission = await town.environment.run(town.texts.send_text, PAGE)

    [message] = list(town.network.messages.newest_first())
    found = FindText(ANA, LINE_NUMBER, NOW, "4711")
    other_code = replace(found, code="471")
    later = replace(found, since=NOW + timedelta(minutes=1))
    assert submission.what == "doubtful"
    assert await town.environment.run(town.texts.find_text, found) == Found(message.sid)
    assert await town.environment.run(town.texts.find_text, other_code) == Found()
    assert await town.environment.run(town.texts.find_text, later) == Found()


async def test_a_429_of_a_text_is_sent_again(town: Town) -> None:
    town.fault(FaultKind.TOO_MANY_REQUESTS, "messages.create")

    assert (await town.environment.run(town.texts.send_text, PAGE)).what == "placed"
    assert len(list(town.network.messages.newest_first())) == 1
