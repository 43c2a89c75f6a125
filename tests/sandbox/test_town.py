"""The town file: what it sets up, and what it says about mistakes."""

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.assumptions import Assumptions
from sandbox.clock import ManualClock
from sandbox.errors import TownError
from sandbox.network import Network
from sandbox.phones import (
    Answers,
    Busy,
    Delivers,
    HangUp,
    Held,
    Loses,
    NoAnswer,
    Press,
    PressHeard,
    Refuses,
    Say,
    Stay,
    Undeliverable,
    Unreachable,
    Voicemail,
    Wait,
    WaitFor,
    keys_in,
)
from sandbox.town import Town

TOWN = """
account: {sid: ACdeadbeefdeadbeefdeadbeefdeadbeef, token: secret}
calls_per_second: 5
numbers:
  - number: "+15550000100"
    name: Harbour Clinic
    voice_url: ${API}/voice/incoming
    voice_fallback_url: ${SANDBOX}/_sandbox/static/fallback
    voice_fallback_method: get
  - {number: "+15550000101", voice_application: ai-leg}
applications:
  - {name: ai-leg, voice_url: "${API}/ai-leg"}
phones:
  - name: ana
    number: "+15550000201"
    calls:
      - no_answer
      - busy
      - unreachable
      - refuse: 21216
      - held
      - answer: 3
        steps: [{wait: 2}, {press: "12#"}, {press_heard: 'press ([\\d, ]+)'}, {say: hello},
                {wait_for: you have it}, stay, hang_up]
      - voicemail: 6
        greeting: 4
        says: Leave a message
        records: 30
    texts:
      - deliver: 2
      - reply_heard: 'reply (\\w+)'
        after: 3
      - reply: on my way
      - undelivered: 30003
      - refuse: 21610
      - lost
static:
  fallback: {file: fallback.xml}
  short: {text: <Response/>}
faults:
  - {kind: callback_lost, on: call.completed, probability: 0.2, times: 3}
assumptions: {post_dial_delay_s: 2, app_leg_has_own_sid: true, status_16026: 400}
"""
VARIABLES = {"API": "http://api", "SANDBOX": "http://sandbox"}


def moved_in(text: str, folder: Path | None = None) -> Network:
    network = Network(clock=ManualClock())
    Town.parse(text, VARIABLES, folder).move_in(network)
    return network


async def test_a_town_file_sets_everything_up(tmp_path: Path) -> None:
    (tmp_path / "fallback.xml").write_text("<Response><Say>Other host</Say></Response>")
    (tmp_path / "town.yaml").write_text(TOWN)
    town = Town.read(tmp_path / "town.yaml", VARIABLES)
    network = Network(clock=ManualClock())
    town.move_in(network)

    line = network.directory.numbers["+15550000100"]
    assert line.hooks.voice_url == "http://api/voice/incoming"
    assert line.hooks.voice_fallback_url == "http://sandbox/_sandbox/static/fallback"
    assert line.hooks.voice_fallback_method == "GET"
    second = network.directory.numbers["+15550000101"]
    assert network.directory.voice_hooks(second).voice_url == "http://api/ai-leg"
    ana = network.phone("ana")
    assert list(ana.calls) == [
        NoAnswer(),
        Busy(),
        Unreachable(),
        Refuses(21216),
        Held(),
        Answers(
            3, Wait(2), Press("12#"), PressHeard(r"press ([\d, ]+)"), Say("hello"),
            WaitFor("you have it"), Stay(), HangUp(),
        ),
        Voicemail(6, 4, 30, "Leave a message"),
    ]  # fmt: skip
    assert list(ana.texts) == [
        Delivers(2),
        Delivers(reply_heard=r"reply (\w+)", reply_after_s=3),
        Delivers(reply="on my way"),
        Undeliverable(30003),
        Refuses(21610),
        Loses(),
    ]
    assert "Other host" in network.static["fallback"]
    assert network.faults.snapshot()[0]["times"] == 3
    assert town.account is not None
    assert town.account.token == "secret"
    assert town.number_of("calls_per_second", 1) == 5
    assert town.assumptions == Assumptions(post_dial_delay_s=2, app_leg_has_own_sid=True, status_16026=400)


async def test_calls_of_the_town_are_placed_by_themselves() -> None:
    network = moved_in(
        """
numbers: [{number: "+15550000100"}]
dials: [{from: "+15550000301", to: "+15550000100", at: 5, steps: [stay]}]
"""
    )
    clock = network.clock
    assert isinstance(clock, ManualClock)
    await clock.advance(timedelta(seconds=6))
    assert [call.from_ for call in network.calls.newest_first()] == ["+15550000301"]
    await network.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not YAML"),
        ("- a", "must be a mapping"),
        ("numbers: [{number: '+1', voice_url: '${NOWHERE}/x'}]", "--set NOWHERE=VALUE"),
        ("numbers: [{name: x}]", "needs its number"),
        ("numbers: [{number: '+1', voice_application: none}]", "no application 'none'"),
        ("numbers: [{number: '+1', wrong: x}]", "wrong is no setting"),
        ("phones: [{number: '+1', calls: [sing]}]", "cannot 'sing'"),
        ("phones: [{number: '+1', texts: [sing]}]", "cannot 'sing'"),
        ("phones: [{number: '+1', calls: [{answer: 1, steps: [sing]}]}]", "'sing' is no step"),
        ("phones: [{number: '+1', calls: [{answer: soon}]}]", "answer must be a number"),
        ("phones: {}", "phones must be a list"),
        ("static: {a: {file: none.xml}}", "cannot read"),
        ("faults: [{kind: gremlin}]", "gremlin"),
        ("faults: [{kind: latency, on: 1.5}]", "must be a text"),
    ],
)
async def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(TownError, match=said.replace("(", r"\(")):
        moved_in(text)


def test_an_unknown_assumption_is_named() -> None:
    with pytest.raises(TownError, match="is no assumption"):
        _ = Town.parse("assumptions: {gravity: 9.81}").assumptions


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TownError, match="cannot read"):
        Town.read(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("4, 2", "42"),
        ("four two", "42"),
        ("Star then pound", "*#"),
        ("someone", ""),
        ("one 7 Nine", "179"),
    ],
)
def test_keys_are_read_as_digits_or_as_words(text: str, keys: str) -> None:
    assert keys_in(text) == keys
