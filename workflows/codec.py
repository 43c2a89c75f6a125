"""What Temporal may read of our payloads: next to nothing.

Every payload is sealed with AES-256-GCM before it leaves the process, and carries the id of its key, so
that keys can be rotated: the first key seals, every key opens. Two rules make holes, on purpose:

- *Summaries stay readable.* Temporal's UI shows summaries and details, which name a rung and a responder,
  never a caller. They reach a codec as bare JSON strings; everything else of ours is a model, a JSON object.
- *A human may act in plain JSON.* `acknowledge`, `decline`, `resolve` and `cancel` can be sent from
  Temporal's UI or command line, which know no keys.

Nothing else comes in unsealed. A refusal is not raised here: a codec that raises fails the whole workflow
task, which Temporal repeats for ever, and one stray signal would freeze an escalation. The payload is
instead marked as refused, and the converter raises when a handler asks for it: the SDK drops such a signal
with an error in the log, rejects such an update, and the escalation lives on. Whether a payload is refused
depends on nothing but itself and its own key, so a replay refuses the same ones.

A key that this process does not have is different: the payload is ours, and dropping it would lose news and
make a later replay, with the key, disagree. That does raise, and the task waits for the key.
"""

import base64
import binascii
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    EncodingPayloadConverter,
    PayloadCodec,
)

PLAIN_ACTS = frozenset({"acknowledge", "decline", "resolve", "cancel"})
"""The `kind`s of act that a human may send unsealed."""

ENCODING = "encoding"
KEY_ID = "encryption-key-id"
SEALED = b"binary/encrypted"
REFUSED = b"rung/refused"
PLAIN_JSON = b"json/plain"
NULL = b"binary/null"

KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # what GCM is defined for; random, safe for 2^32 payloads under one key


class UnknownKeyError(RuntimeError):
    """A payload is sealed with a key that this process was not given."""


class PayloadRefusedError(RuntimeError):
    """A payload came in unsealed, or broken, that may not."""


@dataclass(frozen=True)
class CodecKey:
    """One named AES-256 key."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.id or "," in self.id or ":" in self.id:
            raise ValueError(f"codec key id {self.id!r} must be a word without ':' and ','")
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"codec key {self.id!r} has {len(self.secret)} bytes, AES-256 needs {KEY_BYTES}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64`, the form the settings use."""
        key_id, colon, encoded = text.strip().partition(":")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"codec key {key_id!r} is not valid base64") from None
        if not colon:
            raise ValueError("a codec key is written id:base64")
        return cls(key_id, secret)

    @classmethod
    def generate(cls) -> Self:
        """Draw a new key, named by the first bytes of a random number."""
        return cls(f"k{os.urandom(4).hex()}", os.urandom(KEY_BYTES))

    def __str__(self) -> str:
        return f"{self.id}:{base64.b64encode(self.secret).decode()}"


class EncryptionCodec(PayloadCodec):
    """Seals payloads with the first key and opens them with any."""

    def __init__(self, keys: Sequence[CodecKey]) -> None:
        if not keys:
            raise ValueError("the codec needs at least one key")
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        if len(self._ciphers) < len(keys):
            raise ValueError("two codec keys share one id")
        self._sealing_id = keys[0].id

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal every payload but those Temporal's UI shows."""
        return [payload if shown_in_ui(payload) else self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open sealed payloads; mark as refused what came unsealed and may not.

        Raises UnknownKeyError for a payload sealed with a key that is not here.
        """
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        key_id = self._sealing_id.encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._sealing_id].encrypt(nonce, payload.SerializeToString(), key_id)
        return Payload(metadata={ENCODING: SEALED, KEY_ID: key_id}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get(ENCODING) != SEALED:
            return payload if welcome_unsealed(payload) else refused(_why_unsealed(payload))
        key_id = payload.metadata.get(KEY_ID, b"")
        name = key_id.decode(errors="replace")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise UnknownKeyError(
                f"a payload is sealed with codec key {name!r}; this process has {sorted(self._ciphers)}."
                " Add the key to RUNG_CODEC_KEYS (see docs/configuration.md)"
            )
        try:
            clear = cipher.decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], key_id)
            return Payload.FromString(clear)
        except (InvalidTag, ValueError, DecodeError):
            return refused(f"it does not open with codec key {name!r}: altered, or another key of that name")


def shown_in_ui(payload: Payload) -> bool:
    """Whether Temporal's UI shows this as text: a summary or details.

    A summary is a bare JSON string. What `workflow.set_current_details` says travels in the SDK's own
    answer to its own query, beside the names of handlers.
    """
    match payload.metadata.get(ENCODING):
        case b"json/plain":
            return payload.data.lstrip()[:1] == b'"'
        case b"json/protobuf":
            return payload.metadata.get("messageType") == b"temporal.api.sdk.v1.WorkflowMetadata"
        case _:
            return False


def welcome_unsealed(payload: Payload) -> bool:
    """Whether a payload may come in unsealed: nothing, a summary, or a human's act."""
    encoding = payload.metadata.get(ENCODING, b"")
    nothing = encoding == NULL or not (encoding or payload.data)
    return nothing or shown_in_ui(payload) or _kind(payload) in PLAIN_ACTS


def refused(why: str) -> Payload:
    """A payload that raises when it is converted, and not before."""
    return Payload(metadata={ENCODING: REFUSED}, data=why.encode())


def data_converter(keys: Sequence[CodecKey]) -> DataConverter:
    """How everything of ours is written for Temporal: pydantic's JSON, sealed; failures too."""
    return DataConverter(
        payload_converter_class=RungPayloadConverter,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        payload_codec=EncryptionCodec(keys),
    )


class RungPayloadConverter(PydanticPayloadConverter):
    """Pydantic's converter, which also says why a payload was refused."""

    def __init__(self) -> None:
        super().__init__()
        self._set_converters(*self.converters.values(), _Refused(), _JSON)


class _Refused(EncodingPayloadConverter):
    """Raises what the codec could not raise without freezing a workflow."""

    @property
    def encoding(self) -> str:
        return REFUSED.decode()

    def to_payload(self, value: Any) -> Payload | None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        raise PayloadRefusedError(f"payload refused: {payload.data.decode()}")


class _DiscreetJson(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON, whose complaints do not quote what they complain about.

    The SDK logs the error of a signal it drops, and the input may name a caller.
    """

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        try:
            return super().from_payload(payload, type_hint)
        except ValidationError as error:
            mistakes = "; ".join(
                f"{'.'.join(map(str, mistake['loc'])) or 'message'}: {mistake['msg']}"
                for mistake in error.errors(include_input=False, include_context=False, include_url=False)
            )
            raise PayloadRefusedError(f"not a valid {error.title}: {mistakes}") from None


# One for the process: every workflow instance makes a converter of its own, and to learn a type anew costs more
# than everything else a workflow does at its start or in a replay.
_JSON = _DiscreetJson()


def _kind(payload: Payload) -> str | None:
    """The `kind` of a plain JSON object, if it is one and has one."""
    if payload.metadata.get(ENCODING) != PLAIN_JSON:
        return None
    try:
        value: object = json.loads(payload.data)
    except ValueError:
        return None
    kind = cast("dict[str, object]", value).get("kind") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else None


def _why_unsealed(payload: Payload) -> str:
    encoding = payload.metadata.get(ENCODING, b"").decode(errors="replace") or "none"
    acts = ", ".join(sorted(PLAIN_ACTS))
    return f"unsealed (encoding {encoding}), and only an act is let in so: a JSON object whose kind is {acts}"
