"""Our own signing against the official validator's opinion."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from sandbox.signature import sign

TOKEN = "12345"
URLS = [
    "https://example.com/voice",
    "https://example.com/voice/?a=1&b=two%20words",
    "http://127.0.0.1:8000/voice/incoming",
    "wss://example.com/stream",
    "wss://example.com/stream/",
]
VALIDATOR = RequestValidator(TOKEN)  # type: ignore[no-untyped-call]  # of the client


def valid(url: str, params: dict[str, str], signature: str) -> bool:
    return bool(VALIDATOR.validate(url, params, signature))  # type: ignore[no-untyped-call]


@settings(deadline=None)  # a busy machine is no mistake
@given(st.sampled_from(URLS), st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50)))
def test_the_official_validator_accepts_what_we_sign(url: str, params: dict[str, str]) -> None:
    assert valid(url, params, sign(TOKEN, url, params.items()))


@pytest.mark.parametrize("url", URLS)
def test_a_fragment_is_not_signed(url: str) -> None:
    assert sign(TOKEN, url + "#rc=2&rp=all") == sign(TOKEN, url)


def test_another_token_or_field_gives_another_signature() -> None:
    right = sign(TOKEN, URLS[0], {"Digits": "1"}.items())
    assert not valid(URLS[0], {"Digits": "2"}, right)
    assert sign("other", URLS[0], {"Digits": "1"}.items()) != right
