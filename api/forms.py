"""What Twilio sends, as far as we read it. Unknown fields are ignored: Twilio adds some without asking."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workflows.values import CallSid, ConferenceSid

CallSidField = Annotated[CallSid, StringConstraints(pattern=r"^CA[0-9a-f]{32}$")]
ConferenceSidField = Annotated[ConferenceSid, StringConstraints(pattern=r"^CF[0-9a-f]{32}$")]
MessageSidField = Annotated[str, StringConstraints(pattern=r"^(SM|MM)[0-9a-f]{32}$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Form(BaseModel):
    """A webhook's parameters."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class VoiceForm(Form):
    """Any voice webhook: which call, and what became of what we asked for."""

    sid: CallSidField = Field(alias="CallSid")
    status: str = Field(default="", alias="CallStatus", max_length=40)
    digits: str = Field(default="", alias="Digits", max_length=40)
    dial_status: str = Field(default="", alias="DialCallStatus", max_length=40)


class NumberedForm(VoiceForm):
    """A voice webhook of a caller: also who rings whom."""

    caller: Number = Field(alias="From")
    called: Number = Field(alias="To")


class RecordingForm(NumberedForm):
    """A recording is done; silence is sent without one."""

    recording_url: str | None = Field(default=None, alias="RecordingUrl", max_length=2000)
    recording_s: int = Field(default=0, alias="RecordingDuration", ge=0)


class ProgressForm(Form):
    """How far a call has come."""

    sid: CallSidField = Field(alias="CallSid")
    status: str = Field(alias="CallStatus", min_length=1, max_length=40)


class ConferenceForm(Form):
    """A conference event."""

    event: str = Field(alias="StatusCallbackEvent", min_length=1, max_length=60)
    conference: ConferenceSidField = Field(alias="ConferenceSid")
    name: str = Field(alias="FriendlyName", max_length=200)
    leg: CallSidField | None = Field(default=None, alias="CallSid")
    label: str | None = Field(default=None, alias="ParticipantLabel", max_length=200)


class LegForm(Form):
    """The AI's leg asks what to do. leg: our token, a parameter of the address it was called at."""

    sid: CallSidField = Field(alias="CallSid")
    leg: str | None = Field(default=None, max_length=2000)


class TextForm(Form):
    """An SMS came in."""

    sid: MessageSidField = Field(alias="MessageSid")
    sender: Number = Field(alias="From")
    body: str = Field(default="", alias="Body", max_length=4000)
    opt_out: str | None = Field(default=None, alias="OptOutType", max_length=40)


class TextStatusForm(Form):
    """How far an SMS has come."""

    sid: MessageSidField = Field(alias="MessageSid")
    status: str = Field(alias="MessageStatus", min_length=1, max_length=40)
    error: str | None = Field(default=None, alias="ErrorCode", max_length=40)
