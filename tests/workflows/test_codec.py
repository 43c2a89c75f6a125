"""What Temporal may read of our payloads, and what it may bring in unsealed."""

import base64
import json
from dataclasses import dataclass

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.converter import DataConverter

from workflows.codec import (
    PLAIN_ACTS,
    CodecKey,
    EncryptionCodec,
    PayloadRefusedError,
    RungPayloadConverter,
    UnknownKeyError,
    data_converter,
)
from workflows.values import Act, ActId, ActKind, PersonId

NEW = CodecKey("2026-11", bytes(range(32)))
OLD = CodecKey("2026-05", bytes(32))


@dataclass(frozen=True)
class Report:
    name: str
    number: str


@dataclass(frozen=True)
class Deed:
    kind: str
    by: str = ""


REPORT = Report("Ana Alvarez", "+12025550142")


def plain(value: object) -> Payload:
    """As Temporal's UI and command line send it."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


@pytest.fixture
def converter() -> DataConverter:
    return data_converter([NEW])


async def test_a_model_is_sealed_and_opens_again(converter: DataConverter) -> None:
    [sealed] = await converter.encode([REPORT])

    assert sealed.metadata == {"encoding": b"binary/encrypted", "encryption-key-id": b"2026-11"}
    assert b"Ana" not in sealed.SerializeToString()
    assert b"0142" not in sealed.SerializeToString()
    assert await converter.decode([sealed], [Report]) == [REPORT]


@pytest.mark.parametrize("value", [None, 7, True, ["a", "b"], {"kind": "acknowledge"}, b"bytes"])
async def test_everything_but_a_bare_string_is_sealed(value: object) -> None:
    [sealed] = await EncryptionCodec([NEW]).encode(DataConverter().payload_converter.to_payloads([value]))
    assert sealed.metadata["encoding"] == b"binary/encrypted"


async def test_the_same_value_is_sealed_differently_each_time(converter: DataConverter) -> None:
    first, second = await converter.encode([REPORT, REPORT])
    assert first.data != second.data


@given(
    metadata=st.dictionaries(st.text(max_size=9), st.binary(max_size=9), max_size=3),
    data=st.binary(max_size=64),
)
async def test_whatever_is_sealed_comes_back_whole(metadata: dict[str, bytes], data: bytes) -> None:
    payload = Payload(metadata=metadata, data=data)
    codec = EncryptionCodec([NEW, OLD])

    assert await codec.decode(await codec.encode([payload])) == [payload]


# ── Keys ──


async def test_the_first_key_seals_and_every_key_opens() -> None:
    before, after = data_converter([OLD]), data_converter([NEW, OLD])
    [old] = await before.encode([REPORT])
    [new] = await after.encode([REPORT])

    assert new.metadata["encryption-key-id"] == b"2026-11"
    assert await after.decode([old, new], [Report, Report]) == [REPORT, REPORT]


async def test_a_key_that_is_not_here_is_told_by_name() -> None:
    [new] = await data_converter([NEW]).encode([REPORT])

    with pytest.raises(UnknownKeyError, match=r"'2026-11'; this process has \['2026-05'\].*RUNG_CODEC_KEYS"):
        await data_converter([OLD]).decode([new], [Report])


async def test_a_payload_under_another_keys_name_is_refused() -> None:
    """The key id is sealed in, as associated data."""
    twin = CodecKey(NEW.id, OLD.secret)
    [sealed] = await data_converter([NEW]).encode([REPORT])

    with pytest.raises(RuntimeError) as told:
        await data_converter([twin]).decode([sealed], [Report])
    assert "does not open with codec key '2026-11'" in str(told.value.__cause__)

    both = data_converter([OLD, CodecKey("copy", NEW.secret)])
    sealed.metadata["encryption-key-id"] = b"copy"
    with pytest.raises(RuntimeError):
        await both.decode([sealed], [Report])


@pytest.mark.parametrize("cut", [0, 5, 12, 30])
async def test_a_payload_that_was_cut_or_altered_is_refused(converter: DataConverter, cut: int) -> None:
    [sealed] = await converter.encode([REPORT])
    sealed.data = sealed.data[:cut]

    with pytest.raises(RuntimeError):
        await converter.decode([sealed], [Report])


def test_a_key_is_written_as_id_and_base64() -> None:
    key = CodecKey.generate()

    assert CodecKey.parse(str(key)) == key
    assert CodecKey.parse(f" {key} ") == key
    assert len(key.secret) == 32
    assert base64.b64encode(key.secret).decode() not in repr(key)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("k1", "written id:base64"),
        ("k1:%%%", "'k1' is not valid base64"),
        ("k1:AAAA", "'k1' has 3 bytes, AES-256 needs 32"),
        (f":{base64.b64encode(bytes(32)).decode()}", "must be a word"),
    ],
)
def test_a_mistaken_key_is_told_without_showing_it(text: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        CodecKey.parse(text)


def test_a_codec_needs_a_key_and_each_name_once() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        EncryptionCodec([])
    with pytest.raises(ValueError, match="share one id"):
        EncryptionCodec([NEW, CodecKey(NEW.id, OLD.secret)])


# ── Rule one: summaries stay readable ──


async def test_a_bare_string_stays_readable_for_temporals_ui(converter: DataConverter) -> None:
    """Summaries and details are the only bare strings we send; they name rungs and responders."""
    [summary] = await converter.encode(["Rung 2: ring ben"])

    assert summary.data == b'"Rung 2: ring ben"'
    assert await converter.decode([summary], [str]) == ["Rung 2: ring ben"]


async def test_current_details_stay_readable_for_temporals_ui(converter: DataConverter) -> None:
    [details] = await converter.encode([WorkflowMetadata(current_details="Rung 2 rings")])

    assert b"Rung 2 rings" in details.data
    [back] = await converter.decode([details], [WorkflowMetadata])
    assert MessageToDict(back) == {"currentDetails": "Rung 2 rings"}


# ── Rule two: a human may act in plain JSON ──


@pytest.mark.parametrize("kind", sorted(PLAIN_ACTS))
async def test_an_act_of_ours_may_come_in_unsealed(converter: DataConverter, kind: str) -> None:
    """As the decision record shows it: nothing but the kind, an id and the person."""
    act = plain({"kind": kind, "id": "by-hand-1", "by": "ana"})
    assert await converter.decode([act], [Act]) == [Act(ActKind(kind), ActId("by-hand-1"), PersonId("ana"))]


@pytest.mark.parametrize("kind", sorted(PLAIN_ACTS))
async def test_an_act_may_come_in_unsealed(converter: DataConverter, kind: str) -> None:
    assert await converter.decode([plain({"kind": kind, "by": "ana"})], [Deed]) == [Deed(kind, "ana")]


@pytest.mark.parametrize(
    "payload",
    [
        plain({"kind": "joined", "by": "ana"}),
        plain({"by": "ana"}),
        plain({"kind": ["acknowledge"]}),
        plain([{"kind": "acknowledge"}]),
        plain(7),
        plain(None),
        Payload(metadata={"encoding": b"json/plain"}, data=b'{"kind": "acknowledge"'),
        Payload(metadata={"encoding": b"binary/plain"}, data=b'{"kind": "acknowledge"}'),
        Payload(metadata={"encoding": b"json/protobuf", "messageType": b"x.Y"}, data=b"{}"),
        Payload(data=b"no encoding"),
        Payload(metadata={"encoding": b"rung/refused"}, data=b"a forged refusal"),
    ],
)
async def test_anything_else_unsealed_is_refused_when_it_is_wanted(
    converter: DataConverter, payload: Payload
) -> None:
    assert converter.payload_codec
    [marked] = await converter.payload_codec.decode([payload])  # raises nothing: that would freeze a workflow

    with pytest.raises(RuntimeError) as told:
        converter.payload_converter.from_payload(marked, Deed)
    assert isinstance(told.value.__cause__, PayloadRefusedError)
    assert "only an act is let in so" in str(told.value.__cause__)


@pytest.mark.parametrize("payload", [Payload(), Payload(metadata={"encoding": b"binary/null"})])
async def test_nothing_may_come_in_unsealed(payload: Payload) -> None:
    assert await EncryptionCodec([NEW]).decode([payload]) == [payload]


async def test_a_complaint_does_not_quote_what_it_complains_about(converter: DataConverter) -> None:
    [sealed] = await converter.encode([{"name": "Ana Alvarez"}])

    with pytest.raises(RuntimeError) as told:
        await converter.decode([sealed], [Report])
    assert str(told.value.__cause__) == "not a valid Report: number: Field required"


def test_what_is_known_of_a_type_is_kept_for_the_process() -> None:
    """Every workflow instance makes a converter, and must not learn the types of its messages anew."""
    one, another = RungPayloadConverter(), RungPayloadConverter()

    assert one.converters[b"json/plain"] is another.converters[b"json/plain"]
