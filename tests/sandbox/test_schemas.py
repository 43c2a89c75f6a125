"""Replies against the published description of the API, where it lies beside the project."""

import json
import os
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from jsonschema import Draft7Validator

from sandbox.ids import named_sid
from sandbox.phones import Answers, Say, Stay, Wait
from tests.sandbox.conftest import CALLER, LINE, Scene

DEFAULT_PLACE = Path(__file__).parents[3] / "shared/reference/twilio_api_subset.json"
PLACE = Path(os.environ.get("RUNG_TWILIO_OPENAPI", DEFAULT_PLACE))
ANA = "+15550000201"
Json = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not PLACE.is_file(), reason="the API description is not here: set RUNG_TWILIO_OPENAPI"
)


@pytest.fixture(scope="module")
def document() -> Json:
    return cast("Json", json.loads(PLACE.read_text()))


def as_json_schema(schema: object) -> object:
    """OpenAPI 3.0 says `nullable`; JSON Schema says a type of null."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    plain = {key: as_json_schema(value) for key, value in cast("Json", schema).items()}
    if plain.pop("nullable", False) and "type" in plain:
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain:
            plain["enum"] = [*cast("list[object]", plain["enum"]), None]
    return plain


def faults_of(document: Json, path: str, method: str, status: str, body: Json) -> list[str]:
    """What the description has against that reply."""
    operation = document["paths"]["/2010-04-01/Accounts/{AccountSid}" + path][method]
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    components = as_json_schema(document["components"])
    whole = {"components": components, "allOf": [as_json_schema(schema)]}
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft7Validator(whole).iter_errors(body)
        # By its own description null while the conference lasts, though the schema forgets to say so.
        if not (error.instance is None and error.absolute_path[-1] == "reason_conference_ended")
    ]


def fields_missing(document: Json, name: str, body: Json) -> set[str]:
    """Fields of the resource that the reply leaves out altogether."""
    return set(document["components"]["schemas"][name]["properties"]) - set(body)


class Checked:
    """Requests whose replies are checked one by one."""

    def __init__(self, http: httpx.AsyncClient, document: Json) -> None:
        self._http = http
        self._document = document

    async def __call__(self, method: str, path: str, status: int, *, at: str = "", **form: str) -> Json:
        """at: the real path, where the described one has places in it."""
        reply = await self._http.request(method, at or path, data=form or None)
        assert reply.status_code == status, reply.text
        if status == 204:
            return {}
        body = cast("Json", reply.json())
        assert faults_of(self._document, path, method.lower(), str(status), body) == []
        return body


async def test_every_reply_is_as_described(scene: Scene, document: Json) -> None:
    scene.phone(ANA, Answers(1, Wait(1), Say("hello"), Stay()))
    scene.product.says("/voice", "<Dial><Conference>incident</Conference></Dial>")
    scene.product.says("/ai", "<Gather timeout='60'/>")
    account = scene.network.world.account
    base = f"{scene.address}/2010-04-01/Accounts/{account.sid}"
    async with httpx.AsyncClient(base_url=base, auth=(account.sid, account.token)) as http:
        ask = Checked(http, document)
        scene.network.dial(CALLER, LINE)
        app = named_sid("AP", "ai-leg")
        room = "/Conferences/{ConferenceSid}/Participants"
        ai = await ask(
            "POST", f"{room}.json", 201, at="/Conferences/incident/Participants.json",
            From=LINE, To=f"app:{app}?leg=1", Label="ai",
        )  # fmt: skip
        at = f"/Conferences/{ai['conference_sid']}"
        call = await ask("POST", "/Calls.json", 201, To=ANA, From=LINE, Url=scene.product.url)
        await scene.pass_time(5)

        one = f"/Calls/{call['sid']}.json"
        await ask("GET", "/Calls.json", 200)
        await ask("GET", "/Calls/{Sid}.json", 200, at=one)
        assert fields_missing(document, "api.v2010.account.call", call) == set()
        await ask("POST", "/Calls/{Sid}.json", 200, at=one, Status="completed")
        await scene.pass_time(1)
        await ask("GET", "/Calls/{Sid}.json", 200, at=one)
        await ask("DELETE", "/Calls/{Sid}.json", 204, at=one)

        await ask("GET", "/Conferences.json", 200)
        conference = await ask("GET", "/Conferences/{Sid}.json", 200, at=f"{at}.json")
        assert fields_missing(document, "api.v2010.account.conference", conference) == set()
        await ask("GET", f"{room}.json", 200, at=f"{at}/Participants.json")
        seat = f"{at}/Participants/ai.json"
        shown = await ask("GET", room + "/{CallSid}.json", 200, at=seat)
        assert fields_missing(document, "api.v2010.account.conference.participant", shown) == set()
        await ask("POST", room + "/{CallSid}.json", 200, at=seat, Muted="true")
        await ask("DELETE", room + "/{CallSid}.json", 204, at=seat)
        await ask("POST", "/Conferences/{Sid}.json", 200, at=f"{at}.json", Status="completed")
        await ask("GET", "/Conferences/{Sid}.json", 200, at=f"{at}.json")

        sms = await ask("POST", "/Messages.json", 201, To=ANA, From=LINE, Body="Emergency")
        assert fields_missing(document, "api.v2010.account.message", sms) == set()
        await scene.pass_time(5)
        at = f"/Messages/{sms['sid']}.json"
        await ask("GET", "/Messages.json", 200)
        await ask("GET", "/Messages/{Sid}.json", 200, at=at)
        await ask("POST", "/Messages/{Sid}.json", 200, at=at, Body="")
        await ask("DELETE", "/Messages/{Sid}.json", 204, at=at)

        made = await ask("POST", "/Applications.json", 201, FriendlyName="x", VoiceUrl="http://x/")
        assert fields_missing(document, "api.v2010.account.application", made) == set()
        at = f"/Applications/{made['sid']}.json"
        await ask("GET", "/Applications.json", 200)
        changed = await ask("POST", "/Applications/{Sid}.json", 200, at=at, VoiceUrl="http://y/")
        assert changed["voice_url"] == "http://y/"
        await ask("GET", "/Applications/{Sid}.json", 200, at=at)
        await ask("DELETE", "/Applications/{Sid}.json", 204, at=at)

        number = await ask("POST", "/IncomingPhoneNumbers.json", 201, PhoneNumber="+15550000199")
        missing = fields_missing(document, "api.v2010.account.incoming_phone_number", number)
        assert missing == set()
        at = f"/IncomingPhoneNumbers/{number['sid']}.json"
        await ask("GET", "/IncomingPhoneNumbers.json", 200)
        path = "/IncomingPhoneNumbers/{Sid}.json"
        moved = await ask("POST", path, 200, at=at, SmsUrl="http://y/", VoiceApplicationSid=app)
        assert (moved["sms_url"], moved["voice_application_sid"]) == ("http://y/", app)
        await ask("GET", path, 200, at=at)
        await ask("DELETE", path, 204, at=at)


@pytest.mark.parametrize(
    ("account", "token"),
    [("wrong", "sandbox-token"), ("AC" + "0" * 32, "wrong"), ("", "")],
)
async def test_nobody_else_gets_in(scene: Scene, account: str, token: str) -> None:
    path = f"{scene.address}/2010-04-01/Accounts/{scene.network.world.account.sid}/Calls.json"
    async with httpx.AsyncClient() as http:
        reply = await http.get(path, auth=(account, token))
    assert (reply.status_code, reply.json()["code"]) == (401, 20003)
