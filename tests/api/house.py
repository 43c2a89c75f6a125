"""A door with everything around it: the owner's file, Temporal with stand-ins behind it, Twilio before it."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from api.app import create_app
from api.desk import Desk
from api.door import Door, Patience
from configuration.holder import ConfigurationFile
from tests.api.stand_ins import STAND_INS, Heard
from tests.api.twilio_side import AUTH_TOKEN, PUBLIC_URL, Twilio
from workflows.attributes import CALLER, LINE
from workflows.codec import CodecKey, data_converter
from workflows.contacts import line_card
from workflows.emergency import Phase
from workflows.messages import (
    EscalationInput,
    EscalationView,
    ResponderInput,
    Script,
    ScriptItem,
    TextMatch,
    responder_workflow_id,
)
from workflows.orders import WORKFLOWS
from workflows.tokens import PAGE, PageItem, PageToken, Tokens
from workflows.values import (
    ActReply,
    Case,
    EscalationId,
    LineId,
    PageId,
    PersonId,
    RingId,
    Severity,
)

KEY = CodecKey.generate()
NIGHT = datetime(2026, 3, 3, 7, 18, tzinfo=UTC)  # a Tuesday, 02:18 in New York
OPENING_HOURS = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # a Monday at noon
SHORT = Patience(act_s=0.3, script_s=0.3, signal_s=1.0, look_s=0.3)
CLOSED_PORT = "127.0.0.1:9"
ALERT_TOKEN = "the-alert-token"
STREAM_URL = "wss://bridge.example.org"
CLINIC = LineId("clinic")


@dataclass
class House:
    """What a test has in its hands."""

    app: FastAPI
    twilio: Twilio
    browser: httpx.AsyncClient
    client: Client
    door: Door
    configuration: ConfigurationFile
    tokens: Tokens = field(default_factory=lambda: Tokens("link-secret"))

    @property
    def desk(self) -> Desk:
        desk = self.app.state.desk
        assert isinstance(desk, Desk)
        return desk

    async def heard(self, workflow_id: str) -> Heard:
        """Everything a stand-in was told: (message, its fields)."""
        return [tuple(one) for one in await self.client.get_workflow_handle(workflow_id).query("heard")]

    async def told(self, workflow_id: str, name: str) -> list[dict[str, Any]]:
        """The messages of one name that a stand-in was told."""
        return [message for called, message in await self.heard(workflow_id) if called == name]

    async def exists(self, workflow_id: str) -> bool:
        found = [one async for one in self.client.list_workflows(f"WorkflowId='{workflow_id}'")]
        return bool(found)

    def case(self, severity: Severity = Severity.URGENT, **more: Any) -> Case:
        line = line_card(self.configuration.current(), CLINIC)
        return Case(line, "medical", "a patient in danger", severity, **more)

    async def escalation(
        self, answers: ActReply | None = None, *, caller_digest: str = "", **more: Any
    ) -> EscalationId:
        """An open escalation that answers every act so."""
        escalation = EscalationId(f"escalation-{secrets.token_hex(8)}")
        pairs = [SearchAttributePair(LINE, CLINIC)]
        pairs += [SearchAttributePair(CALLER, caller_digest)] if caller_digest else []
        handle = await self.client.start_workflow(
            "EscalationWorkflow",
            EscalationInput(id=escalation, case=self.case(**more)),
            id=escalation,
            task_queue=WORKFLOWS,
            search_attributes=TypedSearchAttributes(pairs),
        )
        if answers is not None:
            await handle.signal("will_answer", answers)
        return escalation

    async def stands(self, escalation: EscalationId, **how: Any) -> None:
        """How an escalation stands from now on."""
        said = replace(standing(escalation, how.pop("case", None) or self.case()), **how)
        await self.client.get_workflow_handle(escalation).signal("stands", said)

    async def responder(
        self, *items: PageItem, taken_by: str | None = None, match: TextMatch | None = None
    ) -> PersonId:
        """A person whose workflow would read these items out."""
        person = PersonId(f"p{secrets.token_hex(4)}")
        handle = await self.client.start_workflow(
            "ResponderWorkflow",
            ResponderInput(person=person),
            id=responder_workflow_id(person),
            task_queue=WORKFLOWS,
        )
        script = Script(items=tuple(script_item(item) for item in items), taken_by=taken_by)
        await handle.signal("reads", script)
        if match is not None:
            await handle.signal("has_page", match)
        return person

    def page_url(self, person: str, *items: PageItem) -> str:
        """What a page call of this person asks when it is answered."""
        token = PageToken(PersonId(person), RingId("1-x"), CLINIC, items)
        return f"{PUBLIC_URL}/page/{self.tokens.make(PAGE, token)}"


def standing(escalation: EscalationId, case: Case) -> EscalationView:
    """An escalation that rings its second rung of three."""
    return EscalationView(
        id=escalation,
        case=case,
        phase=Phase.PAGING,
        round=1,
        rung=2,
        rungs=3,
        rung_name="Second",
        pages=(),
        owner=None,
        callers_waiting=1,
        next_is=None,
        next_at=None,
        note="",
    )


def item(escalation: str, number: int = 1, **more: Any) -> PageItem:
    """A page of this escalation; key 4 takes it, 7 passes (by tens for further ones)."""
    given: dict[str, Any] = {
        "page": PageId(f"{escalation}.{number}"),
        "escalation": EscalationId(escalation),
        "kind": "page",
        "spoken": "a patient in danger",
        "accept": "4",
        "decline": "7",
        "conference": None,
    }
    return PageItem(**{**given, **more})


def script_item(page: PageItem) -> ScriptItem:
    return ScriptItem(
        page=page.page,
        escalation=page.escalation,
        kind=page.kind,
        spoken=page.spoken,
        severity=Severity.LIFE if page.life else Severity.URGENT,
        line_name="Riverside Clinic",
        accept=page.accept,
        decline=page.decline,
        conference=page.conference,
        test=page.test,
    )


async def connected(target: str, *, lazy: bool = True) -> Client:
    """A client; the door's connects when it is first needed."""
    return await Client.connect(target, namespace="rung", lazy=lazy, data_converter=data_converter([KEY]))


@asynccontextmanager
async def house_of(
    client: Client,
    folder: Path,
    *,
    now: datetime = NIGHT,
    patience: Patience | None = None,
    voice: bool = False,
) -> AsyncGenerator[House, None]:
    """The door alone, before whatever answers at the client's address. voice: there is a speech model."""
    configuration = ConfigurationFile(Path(__file__).with_name("night.yaml"), folder / "last-good.yaml")
    tokens = Tokens("link-secret")
    door = Door(
        public_url=PUBLIC_URL,
        stream_url=STREAM_URL,
        auth_token=AUTH_TOKEN,
        tokens=tokens,
        digest_key=b"digest-key",
        alert_token=ALERT_TOKEN,
        spool=folder / "spool.jsonl",
        patience=patience or Patience(),
        voice=voice,
        now=lambda: now,
    )
    app = create_app(door, client, configuration)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8000") as http:
        yield House(app, Twilio(http), http, client, door, configuration, tokens)


@asynccontextmanager
async def working(target: str) -> AsyncGenerator[None, None]:
    """The stand-ins are at work."""
    client = await connected(target, lazy=False)
    async with Worker(client, task_queue=WORKFLOWS, workflows=STAND_INS):
        yield
