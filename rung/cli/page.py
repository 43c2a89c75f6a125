"""`rung page`: a test page, marked as one to everybody who is rung."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from configuration.holder import ConfigurationFile
from rung.cli.terminal import USAGE, run, short
from rung.settings import Settings
from workflows import attributes, orders
from workflows.contacts import line_card, responder_of
from workflows.messages import EscalationInput
from workflows.values import Case, EscalationId, Ladder, Rung, Severity


def page(
    whom: Annotated[
        str, typer.Argument(metavar="LINE|PERSON", help="A line of the owner's file, or one person.")
    ],
) -> None:
    """Send a test page to a person, or up a line's ladder."""

    async def send(client: Client, settings: Settings) -> EscalationId:
        configuration = ConfigurationFile(settings.config, settings.state_dir / "last-good.yaml").current()
        lines, people = configuration.lines, configuration.people
        if whom not in lines and whom not in people:
            typer.echo(
                f"no line or person is called {whom!r}. Lines: {', '.join(lines)}. People: {', '.join(people)}."
            )
            raise typer.Exit(USAGE)
        line = whom if whom in lines else next(iter(lines))
        alone = None
        if whom in people:
            one = responder_of(whom, people[whom], "a test page for this person")
            alone = Ladder((Rung("test page", (one,)),))
        case = Case(line_card(configuration, line), "test page", "a test page", Severity.ROUTINE, test=True)
        escalation = EscalationId(f"escalation-test-{uuid.uuid4().hex[:12]}")
        await client.start_workflow(
            "EscalationWorkflow",
            EscalationInput(id=escalation, case=case, ladder=alone),
            id=escalation,
            task_queue=orders.WORKFLOWS,
            static_summary=f"{line}: test page for {whom}",
            priority=orders.page_priority(case.severity),
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(attributes.STATE, "paging"),
                    SearchAttributePair(attributes.LINE, line),
                    SearchAttributePair(attributes.SEVERITY, case.severity),
                ]
            ),
        )
        return escalation

    escalation = run(send)
    typer.echo(f"{escalation}: test page for {whom} at {datetime.now(UTC):%H:%M:%S} UTC")
    typer.echo(f"Watch it: rung status {short(escalation)} --watch")
