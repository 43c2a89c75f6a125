"""What happens in a call's room, as Twilio tells it."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response

from api.desk import At, FromTwilio, noted
from api.forms import ConferenceForm
from workflows.messages import ConferenceNews, call_workflow_id
from workflows.values import CallSid

router = APIRouter(tags=["rooms"], dependencies=[FromTwilio])


@router.post("/conference/{call_sid}", status_code=204)
async def happened(
    call_sid: Annotated[CallSid, Path(pattern=r"^CA[0-9a-f]{32}$")],
    form: Annotated[ConferenceForm, Form()],
    at: At,
) -> Response:
    """Something happened in the room of this call."""
    news = ConferenceNews(
        event=form.event, conference=form.conference, name=form.name, leg=form.leg, label=form.label
    )
    return noted(await at.mention(call_workflow_id(call_sid), "conference", news))
