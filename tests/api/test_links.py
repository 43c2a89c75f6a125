"""The acknowledgement link: shows on GET, acts on POST, once; forged or expired opens nothing."""

from datetime import timedelta

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from pydantic import TypeAdapter

from tests.api.house import NIGHT, House
from workflows.emergency import Phase
from workflows.tokens import LINK, LinkToken, Purpose, Tokens
from workflows.values import ActReply, EscalationId, PageId, PersonId, Severity, Verdict

YOURS = ActReply(Verdict.YOURS, "You have it. The caller is on the line.", owner="Ana")


def link(house: House, escalation: EscalationId, person: str = "ana") -> str:
    token = LinkToken(PersonId(person), PageId(f"{escalation}.1"), escalation)
    return f"/a/{house.tokens.make(LINK, token)}"


async def test_it_shows_what_it_is_and_changes_nothing(house: House) -> None:
    escalation = await house.escalation(YOURS)
    await house.stands(escalation, case=house.case(Severity.LIFE, contact="+12025550150"))
    page = await house.browser.get(link(house, escalation))

    assert page.status_code == 200
    for words in ("Riverside Clinic", "a patient in danger", "Danger to life", "Nobody yet", "I take it"):
        assert words in page.text
    assert "2025550150" not in page.text
    assert await house.heard(escalation) == []


async def test_it_is_one_page_without_scripts_that_nobody_may_keep(house: House) -> None:
    page = await house.browser.get(link(house, await house.escalation()))
    assert "<script" not in page.text
    assert "http" not in page.text
    assert '<html lang="en">' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_posting_it_takes_the_case(house: House) -> None:
    escalation = await house.escalation(YOURS)
    page = await house.browser.post(link(house, escalation), data={"do": "acknowledge"})
    assert page.status_code == 200
    assert "You have it. The caller is on the line." in page.text
    (act,) = await house.told(escalation, "acknowledge")
    assert (act["id"], act["by"], act["via"]) == (f"link:{escalation}.1", "ana", "link")
    assert (act["page"], act["leg"]) == (f"{escalation}.1", None)
    assert act["pressed_at"] == NIGHT.isoformat().replace("+00:00", "Z")


async def test_it_counts_once_however_often_it_is_posted(house: House) -> None:
    escalation = await house.escalation(YOURS)
    address = link(house, escalation)
    first = await house.browser.post(address)
    assert (await house.browser.post(address)).text == first.text
    assert len(await house.told(escalation, "acknowledge")) == 1


async def test_somebody_elses_case_shows_who_has_it_and_no_button(house: House) -> None:
    escalation = await house.escalation()
    await house.stands(escalation, owner="Ben", phase=Phase.CONNECTING)
    page = await house.browser.get(link(house, escalation))
    assert "Ben" in page.text
    assert "<button" not in page.text


async def test_its_owner_can_say_that_it_is_resolved(house: House) -> None:
    escalation = await house.escalation(ActReply(Verdict.RESOLVED, "Resolved."))
    await house.stands(escalation, owner="Ana", phase=Phase.FOLLOWING_UP)
    page = await house.browser.get(link(house, escalation))
    assert "It is resolved" in page.text
    assert "I take it" not in page.text
    done = await house.browser.post(link(house, escalation), data={"do": "resolve"})
    assert "Resolved." in done.text
    assert (await house.told(escalation, "resolve"))[0]["id"] == f"link:{escalation}.1:resolve"


async def test_a_closed_case_says_so(house: House) -> None:
    escalation = await house.escalation()
    await house.stands(escalation, phase=Phase.RESOLVED)
    page = await house.browser.get(link(house, escalation))
    assert "This case is resolved." in page.text
    assert "<button" not in page.text


async def test_a_case_that_is_gone_is_answered_kindly(house: House) -> None:
    gone = EscalationId("e-gone")
    assert (await house.browser.get(link(house, gone))).status_code == 404
    page = await house.browser.post(link(house, gone))
    assert "This case is closed." in page.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "altered", "of another secret", "of another purpose", "expired"])
async def test_a_forged_or_expired_link_is_refused_in_a_clear_sentence(
    house: House, method: str, token: str
) -> None:
    escalation = await house.escalation(YOURS)
    value = LinkToken(PersonId("ana"), PageId("p"), escalation)
    address = {
        "x": "/a/x",
        "altered": link(house, escalation)[:-2] + "xx",
        "of another secret": f"/a/{Tokens('another').make(LINK, value)}",
        "of another purpose": f"/a/{house.tokens.make(Purpose('page', LinkToken, LINK.lasts), value)}",
        "expired": f"/a/{_old(value)}",
    }[token]
    page = await house.browser.request(method, address)
    assert page.status_code == 403
    assert "incomplete, altered or too old" in page.text
    assert await house.heard(escalation) == []


class _LongAgo(TimestampSigner):
    """Signs as of the day before yesterday."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - int((LINK.lasts + timedelta(days=1)).total_seconds())


def _old(value: LinkToken) -> str:
    serializer = URLSafeTimedSerializer("link-secret", salt="rung/link", signer=_LongAgo)
    return str(serializer.dumps(TypeAdapter(LinkToken).dump_python(value, mode="json")))


async def test_an_act_that_is_none_is_refused(house: House) -> None:
    escalation = await house.escalation(YOURS)
    page = await house.browser.post(link(house, escalation), data={"do": "destroy"})
    assert page.status_code == 422
    assert "Nothing was done" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert await house.heard(escalation) == []


async def test_without_a_worker_it_can_be_taken_all_the_same(no_worker: House) -> None:
    escalation = await no_worker.escalation(YOURS)
    shown = await no_worker.browser.get(link(no_worker, escalation))
    assert "The details cannot be shown" in shown.text
    assert "I take it" in shown.text
    taken = await no_worker.browser.post(link(no_worker, escalation))
    assert (taken.status_code, "Received, not yet confirmed" in taken.text) == (202, True)


async def test_what_is_shown_is_escaped(house: House) -> None:
    escalation = await house.escalation()
    await house.stands(escalation, owner="<b>Ben</b>")
    page: httpx.Response = await house.browser.get(link(house, escalation))
    assert "&lt;b&gt;Ben&lt;/b&gt;" in page.text
