"""An emergency without a caller: another system raises it, once for each of its own keys.

The summary is for whoever accepts; it never enters a page, which may be heard by anybody. It is kept beside
the workflow, sealed like every payload, and not in its input.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, cast

import structlog
from fastapi import APIRouter, Depends, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.desk import E164, At
from api.errors import NoAnswerError
from api.rooms import may_be_rung
from workflows.messages import EscalationInput
from workflows.values import Case, EscalationId, LineId, Severity

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.alerts")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Alert(BaseModel):
    """What the other system reports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="One of the line's categories, by its name in the owner's file."
    )
    summary: Words | None = Field(default=None, description="For whoever accepts; never part of a page.")
    severity: Severity | None = Field(default=None, description="Instead of the category's own.")
    contact: str | None = Field(
        default=None, pattern=f"^{E164.pattern}$", description="E.164; can be rung back through the line."
    )


class Raised(BaseModel):
    """The escalation that this alert is."""

    escalation: EscalationId
    open: bool = Field(description="Whether it is still being seen to; false only for a repeat.")


async def knows_the_token(at: At, authorization: Annotated[str, Header()] = "") -> None:
    """Let only holders of the alert token in."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), at.door.alert_token.encode()):
        log.warning("alert refused: missing or wrong token")
        raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})


router = APIRouter(tags=["alerts"], dependencies=[Depends(knows_the_token)])


@router.post(
    "/alerts/{line_id}",
    status_code=202,
    responses={
        200: {"description": "This alert was raised before, by this key.", "model": Raised},
        401: {"description": "Missing or wrong token."},
        404: {"description": "No such line."},
        409: {"description": "This key was used for another alert."},
        503: {"description": "Not raised: try again with the same key."},
    },
)
async def raise_alert(
    line_id: LineId,
    alert: Alert,
    response: Response,
    at: At,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=200)],
) -> Raised:
    """Wake people for an emergency that no caller has reported."""
    line = at.line(line_id)
    category = line.categories.get(alert.category)
    if category is None:
        known = ", ".join(line.categories) or "none"
        raise HTTPException(422, f"line {line_id} has no category {alert.category!r}; it has: {known}")
    if alert.contact is not None and not may_be_rung(alert.contact):
        raise HTTPException(422, "contact is a number that is never rung: emergency, premium or withheld")
    case = Case(
        line=at.card(line_id),
        category=alert.category,
        spoken=category.say,
        severity=alert.severity or Severity(category.severity),
        contact=alert.contact,
    )
    start = EscalationInput(
        id=escalation_id(line_id, idempotency_key), case=case, searchable=at.door.searchable
    )
    digest = hashlib.sha256(alert.model_dump_json().encode()).hexdigest()
    memo = {"alert": {"summary": alert.summary, "digest": digest}}
    try:
        fresh = await at.messenger.start_escalation(start, memo)
        still_open, earlier = (True, memo) if fresh else await at.messenger.memo(start.id)
    except NoAnswerError as error:
        log.error("alert not raised", line=line_id, error=str(error))
        raise HTTPException(503, "not raised: try again with the same key", {"Retry-After": "5"}) from error
    if _alert(earlier).get("digest", digest) != digest:
        log.warning("alert refused: its key was used for another one", line=line_id, escalation=start.id)
        raise HTTPException(409, f"this Idempotency-Key was used for another alert, {start.id}")
    log.info("alert raised" if fresh else "alert repeated", line=line_id, escalation=start.id)
    response.status_code = 202 if fresh else 200
    return Raised(escalation=start.id, open=still_open)


def escalation_id(line_id: LineId, key: str) -> EscalationId:
    """The same for every repeat of the key on this line."""
    digest = hashlib.sha256(f"{line_id}\n{key}".encode()).hexdigest()[:20]
    return EscalationId(f"escalation-alert-{line_id}-{digest}")


def summary_of(memo: Mapping[str, object]) -> str | None:
    """What an alert said beside its start."""
    summary = _alert(memo).get("summary")
    return summary if isinstance(summary, str) else None


def _alert(memo: Mapping[str, object]) -> Mapping[str, object]:
    alert = memo.get("alert")
    return cast("Mapping[str, object]", alert) if isinstance(alert, Mapping) else {}
