"""What goes out: whole frames of 160, nothing lost, and as coach in real time."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.outlet import End, Outlet, Piece


def payload(samples: bytes) -> str:
    return base64.b64encode(samples).decode()


def sound(out: list[Piece | End]) -> bytes:
    return b"".join(base64.b64decode(one.payload) for one in out if isinstance(one, Piece))


def test_whole_frames_pass_undecoded() -> None:
    whole = payload(bytes(480))

    assert list(Outlet().put("a", whole, 0.0)) == [Piece("a", whole, 480)]


@settings(derandomize=True, deadline=None)
@given(sizes=st.lists(st.integers(0, 900), max_size=12), paced=st.booleans())
def test_whatever_comes_goes_out_whole_in_multiples_of_160_and_filled_up_with_silence(
    sizes: list[int], *, paced: bool
) -> None:
    outlet = Outlet()
    outlet.paced = paced
    sent = b"".join(bytes([n + 1]) * size for n, size in enumerate(sizes))
    out: list[Piece | End] = []
    for n, size in enumerate(sizes):
        out += outlet.put("a", payload(bytes([n + 1]) * size), n * 0.01)
    out += outlet.end("a", 1.0)
    for n in range(200):
        out += outlet.release(1.0 + n * 0.1)

    assert all(one.samples % 160 == 0 for one in out if isinstance(one, Piece))
    assert sound(out)[: len(sent)] == sent
    assert set(sound(out)[len(sent) :]) <= {0xFF}
    assert len(sound(out)) - len(sent) < 160
    assert out[-1] == End("a")


def test_what_is_left_over_of_an_item_does_not_run_into_the_next() -> None:
    outlet = Outlet()
    list(outlet.put("a", payload(b"a" * 200), 0.0))

    out = list(outlet.put("b", payload(b"b" * 160), 0.0))

    assert [(one.item, one.samples) for one in out if isinstance(one, Piece)] == [("a", 160), ("b", 160)]
    assert sound(out) == b"a" * 40 + b"\xff" * 120 + b"b" * 160


def test_a_coach_starts_with_300_ms_and_goes_on_in_real_time() -> None:
    outlet = Outlet()
    outlet.paced = True

    first = sound(list(outlet.put("a", payload(bytes(16_000)), 5.0)))
    due = outlet.due()
    assert len(first) == 2400
    assert due is not None
    assert len(sound(list(outlet.release(due)))) >= 800


def test_dropped_sound_does_not_come_back() -> None:
    outlet = Outlet()
    outlet.paced = True
    list(outlet.put("a", payload(bytes(16_000)), 5.0))

    outlet.drop()

    assert not outlet.holding
    assert list(outlet.release(9.0)) == []
    assert outlet.due() is None
