"""The sandbox's town for an owner's file: its lines as numbers, its people as phones.

The sandbox and the product share no code; what joins them is this file, written the way Twilio's console
would be filled in by hand.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from api.fallback import documents
from configuration.model import Configuration

OTHER_HOST = "/_sandbox/static"
HELD = "held"  # rings until somebody answers it through the sandbox's control API


def town(configuration: Configuration, phones: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A town in which every line rings in at ${API}, and every person has a phone.

    phones: what is known of some of them, as the sandbox's town file says it. Everybody else's phone is held.
    """
    known = {str(phone["number"]) for phone in phones}
    people = [
        {"name": name, "number": number, "calls": [HELD]}
        for name, person in configuration.people.items()
        for number in dict.fromkeys(n for n in (person.phone, person.sms_number) if n)
        if number not in known
    ]
    numbers = [
        {
            "number": line.number,
            "name": line.name,
            "voice_url": "${API}/voice/incoming",
            "voice_fallback_url": f"${{SANDBOX}}{OTHER_HOST}/{name}.xml",
            "status_callback": "${API}/voice/ended",
            "sms_url": "${API}/sms",
        }
        for name, line in configuration.lines.items()
    ]
    assistant = {"name": "assistant", "sid": "${APPLICATION}", "voice_url": "${API}/ai-leg"}
    return {
        "numbers": numbers,
        "applications": [assistant],
        "phones": [*phones, *_named_apart(people)],
        **more,
    }


async def publish(
    sandbox: str, configuration: Configuration, at: datetime, lines: Sequence[str] | None = None
) -> None:
    """Put tonight's static documents on the sandbox's other host, which answers when the door is down.

    sandbox: its address. lines: only these; all by default. Raises httpx.HTTPError.
    """
    base = f"{sandbox}{OTHER_HOST}"
    async with httpx.AsyncClient() as client:
        for name, document in documents(configuration, base, at, lines).items():
            (await client.put(f"{base}/{name}", content=document)).raise_for_status()


def write(path: Path, content: dict[str, Any]) -> Path:
    """The town as a file for `python -m sandbox --town`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return path


def _named_apart(people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two phones of one person under two names."""
    seen: dict[str, int] = {}
    phones: list[dict[str, Any]] = []
    for phone in people:
        name = str(phone["name"])
        seen[name] = seen.get(name, 0) + 1
        phones.append({**phone, "name": name if seen[name] == 1 else f"{name}-{seen[name]}"})
    return phones
