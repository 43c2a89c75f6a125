"""Whether this process is alive, and whether it can do its work."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.desk import At

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """This process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """What this process needs. Callers are answered either way; without Temporal, by tonight's rota.

    configuration: the file itself, the file as it was before it was broken, or the last good one kept.
    spool: records that wait for Temporal.
    """

    ready: bool
    temporal: bool
    configuration: Literal["file", "running, the file is broken", "last good"]
    spool: int


@router.get("/health")
async def health() -> Health:
    """Alive."""
    return Health()


@router.get("/ready", responses={503: {"model": Ready, "description": "Temporal does not answer."}})
async def ready(at: At, response: Response) -> Ready:
    """Ready for a night: Temporal answers."""
    at.configuration.current()
    held = at.configuration
    temporal = await at.messenger.reachable()
    response.status_code = 200 if temporal else 503
    running: Literal["file", "running, the file is broken"] = (
        "running, the file is broken" if held.broken else "file"
    )
    return Ready(
        ready=temporal,
        temporal=temporal,
        configuration="last good" if held.source == "last good" else running,
        spool=len(at.spool),
    )
