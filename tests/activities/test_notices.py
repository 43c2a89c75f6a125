"""Pushes, operator alerts and messages left, to the sandbox's push receiver over HTTP."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from temporalio.exceptions import ApplicationError

from activities.notices import Notices
from activities.push import Pushes, service
from configuration.holder import ConfigurationFile
from sandbox.journal import Kind
from tests.activities.town import CASE, LINE_NUMBER, Town, forms
from workflows.orders import AlertOperator, DeliverMessage, Push
from workflows.values import CallSid, EscalationId, LineId, PageId, PersonId, Responder

RECORDING = "https://api.example.com/2010-04-01/Accounts/AC1/Recordings/RE0123.wav"
MESSAGE = DeliverMessage(LineId("clinic"), CallSid("CA" + "1" * 32), RECORDING, 17)
ALERT = AlertOperator("calls stay queued", replace(CASE, contact="+12025550199"))


def receiver(town: Town, name: str) -> str:
    """The Apprise URL of somebody's push receiver."""
    return f"{town.address.replace('http', 'json')}/_sandbox/push/{name}"


def pushed(town: Town) -> list[tuple[str, str]]:
    """Who was pushed what."""
    bodies = [(r.details["person"], r.details["body"]) for r in town.network.journal.of(Kind.PUSH)]
    return [(str(person), str(cast("dict[str, object]", body)["message"])) for person, body in bodies]


def texted(town: Town) -> list[tuple[object, object]]:
    return [(forms(r)["To"], forms(r)["Body"]) for r in town.requests("POST", "/Messages.json")]


def order(*urls: str) -> Push:
    to = Responder(PersonId("ana"), "Ana", push=urls)
    return Push("page", PageId("page-0"), EscalationId("escalation-0"), to, CASE, "4711")


def notices(town: Town, tmp_path: Path, text: str = "") -> Notices:
    path = tmp_path / "rung.yaml"
    path.write_text(text or configured(town))
    configuration = ConfigurationFile(path, tmp_path / "last-good.yaml")
    return Notices(Pushes(answers_in_s=2), town.texts, town.addresses, configuration)


def configured(town: Town, alerts: str = "people: [dee, gus]") -> str:
    return f"""
alerts: {{ {alerts} }}
people:
  dee: {{ name: Dee, phone: "+12025550114", push: ["{receiver(town, "dee")}"] }}
  gus: {{ name: Gus, phone: "+12025550117" }}
  desk: {{ name: Desk, sms: "+12025550121", push: ["{receiver(town, "desk")}"], channels: [sms, push] }}
ladders:
  night: {{ rungs: [{{ page: [dee] }}], last_resort: [gus] }}
lines:
  clinic:
    name: Riverside Clinic
    number: "{LINE_NUMBER}"
    emergency_number: "911"
    time_zone: America/New_York
    ladder: night
    messages_to: [desk]
"""


async def test_a_push_says_what_the_text_says(town: Town, tmp_path: Path) -> None:
    submission = await town.environment.run(
        notices(town, tmp_path).push, order(receiver(town, "ana"), receiver(town, "ana-tablet"))
    )

    assert submission.what == "placed"
    assert {person for person, _ in pushed(town)} == {"ana", "ana-tablet"}
    assert all("Reply 4711 to take it" in words for _, words in pushed(town))
    assert all(f"{town.public_url}/a/" in words for _, words in pushed(town))


async def test_one_server_that_takes_it_is_enough(town: Town, tmp_path: Path) -> None:
    down = "json://127.0.0.1:9/nobody"

    submission = await town.environment.run(
        notices(town, tmp_path).push, order(down, receiver(town, "ana"), "nonsense://")
    )

    assert submission.what == "placed"
    assert len(pushed(town)) == 1


async def test_a_push_that_no_server_took_is_tried_again(town: Town, tmp_path: Path) -> None:
    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(notices(town, tmp_path).push, order("json://127.0.0.1:9/nobody"))

    assert not raised.value.non_retryable


async def test_a_push_url_that_means_nothing_is_refused_for_good(town: Town, tmp_path: Path) -> None:
    submission = await town.environment.run(notices(town, tmp_path).push, order("nonsense://secret"))

    assert submission.what == "refused"
    assert "secret" not in (submission.error or "")


async def test_operators_are_told_by_push_or_else_by_text(town: Town, tmp_path: Path) -> None:
    await town.environment.run(notices(town, tmp_path).alert_operator, ALERT)

    [(person, words)] = pushed(town)
    assert person == "dee"
    assert "calls stay queued" in words
    assert [to for to, _ in texted(town)] == ["+12025550117"]
    assert "5550199" not in str(pushed(town)) + str(texted(town))


async def test_operators_get_texts_when_no_push_server_takes_it(town: Town, tmp_path: Path) -> None:
    text = configured(town).replace(receiver(town, "dee"), "json://127.0.0.1:9/down")

    await town.environment.run(notices(town, tmp_path, text).alert_operator, ALERT)

    assert {to for to, _ in texted(town)} == {"+12025550114", "+12025550117"}


async def test_an_alert_that_reached_nobody_is_tried_again(town: Town, tmp_path: Path) -> None:
    text = configured(town, alerts='push: ["json://127.0.0.1:9/down"]')

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(notices(town, tmp_path, text).alert_operator, ALERT)

    assert not raised.value.non_retryable


async def test_without_operators_an_alert_is_in_the_log_and_done(town: Town, tmp_path: Path) -> None:
    text = configured(town, alerts="")

    await town.environment.run(notices(town, tmp_path, text).alert_operator, ALERT)

    assert pushed(town) == []


async def test_whoever_takes_messages_is_told_that_one_was_left_and_nothing_of_it(
    town: Town, tmp_path: Path
) -> None:
    await town.environment.run(notices(town, tmp_path).deliver_message, MESSAGE)

    [(person, words)] = pushed(town)
    assert person == "desk"
    assert "Riverside Clinic" in words
    assert "17 seconds" in words
    assert "RE0123" in words
    assert "http" not in words


async def test_a_message_on_a_line_that_is_gone_is_dropped_with_a_warning(town: Town, tmp_path: Path) -> None:
    await town.environment.run(
        notices(town, tmp_path).deliver_message, replace(MESSAGE, line=LineId("other"))
    )

    assert pushed(town) == []


def test_only_the_service_of_a_push_url_is_shown() -> None:
    assert service("pover://user@token") == "pover"


async def test_a_push_that_reached_one_operator_spares_no_other_the_text(town: Town, tmp_path: Path) -> None:
    alerts = f'people: [dee, gus], push: ["{receiver(town, "owner")}"]'
    text = configured(town, alerts).replace(f'"{receiver(town, "dee")}"', '"json://127.0.0.1:9/down"')

    await town.environment.run(notices(town, tmp_path, text).alert_operator, ALERT)

    assert [person for person, _ in pushed(town)] == ["owner"]
    assert {to for to, _ in texted(town)} == {"+12025550114", "+12025550117"}
