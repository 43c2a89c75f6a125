"""Every frame of every test against the published types of the official client."""

import json
from typing import cast

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from sandbox.speech.fields import Json

_SERVER: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
_CLIENT: TypeAdapter[object] = TypeAdapter(RealtimeClientEvent)

# Sent by the service, though the package's types do not name it.
UNTYPED = {("session", "object"), ("session", "id"), ("session", "expires_at")}


def checked_server(event: Json) -> Json:
    """The event, if the official types know it and every field of it."""
    _nothing_unknown(_SERVER.validate_python(json.loads(json.dumps(event))), str(event["type"]))
    return event


def checked_client(event: Json) -> Json:
    _nothing_unknown(_CLIENT.validate_python(event), str(event["type"]))
    return event


def _nothing_unknown(model: object, path: str) -> None:
    if isinstance(model, BaseModel):
        for name in model.model_extra or {}:
            if (path.rpartition(".")[2], name) not in UNTYPED:
                message = f"{path}.{name} is not in the published types"
                raise AssertionError(message)
        for name in type(model).model_fields:
            _nothing_unknown(getattr(model, name), f"{path}.{name}")
    elif isinstance(model, list):
        for member in cast("list[object]", model):
            _nothing_unknown(member, path)
