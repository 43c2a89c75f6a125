"""Whatever arrives on the sandbox's wires is refused in its own words, or taken."""

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.live_phone import LivePhone
from sandbox.network import Network
from sandbox.phones import Phone
from sandbox.sound import modem, mulaw, wav
from sandbox.stream_protocol import Audio, Clear, Mark, Warned
from tests.sandbox.test_streams import talk

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
events = st.sampled_from(["media", "mark", "clear", "start", "stop", "connected", "answer", "press", "dial"])
messages = st.fixed_dictionaries(
    {},
    optional={
        "event": events | values,
        "streamSid": st.just("MZ1") | values,
        "media": st.fixed_dictionaries({"payload": st.text(max_size=30) | values}) | values,
        "mark": st.fixed_dictionaries({"name": values}) | values,
        "digits": values,
        "to": values,
    },
).map(json.dumps)


@settings(deadline=None)
@given(st.lists(messages | st.text(max_size=200) | st.binary(max_size=50), max_size=10))
def test_a_stream_reads_anything_and_warns_once_of_what_is_malformed(frames: list[str | bytes]) -> None:
    one = talk()
    read = [one.receive(frame) for frame in frames]
    assert all(isinstance(result, Audio | Mark | Clear | Warned | None) for result in read)
    assert sum(isinstance(result, Warned) and result.code == 31951 for result in read) <= 1


@settings(deadline=None)
@given(messages | st.text(max_size=200))
def test_a_handset_from_outside_survives_any_message(message: str) -> None:
    phone = LivePhone(Network(), Phone("+15550000201", "ana"))
    phone.receive(message)
    phone.receive_sound(message.encode())


@settings(deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_file_is_a_sound_or_is_refused(content: bytes, dressed: bool) -> None:
    file = b"RIFF\0\0\0\0WAVEfmt " + (16).to_bytes(4, "little") + content if dressed else content
    with contextlib.suppress(wav.NotASound):
        assert wav.read(file).dtype.name == "int16"


@settings(deadline=None)
@given(st.binary(max_size=4_000))
def test_any_bytes_are_sound_on_the_wire_and_ears_bear_it(wire: bytes) -> None:
    assert len(mulaw.decode(wire)) == len(wire)
    assert isinstance(modem.understand(mulaw.decode(wire)), str)
