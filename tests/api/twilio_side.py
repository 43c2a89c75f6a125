"""Twilio's side of the door, written from its documents and sharing no code with the door.

Signs as Twilio does: base64(HMAC-SHA1(auth token, URL + each POST parameter's name and value, sorted by name)).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx

from workflows.values import CallSid

AUTH_TOKEN = "the-account's-auth-token"
PUBLIC_URL = "https://rung.example.org"

Params = Mapping[str, str]


def call_sid() -> CallSid:
    return CallSid("CA" + secrets.token_hex(16))


def message_sid() -> str:
    return "SM" + secrets.token_hex(16)


def conference_sid() -> str:
    return "CF" + secrets.token_hex(16)


def signature(url: str, params: Sequence[tuple[str, str]], token: str = AUTH_TOKEN) -> str:
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True)
class Twiml:
    """An answer, as far as tests look at it."""

    status: int
    text: str

    @property
    def root(self) -> ElementTree.Element:
        assert self.status == 200, (self.status, self.text)
        return ElementTree.fromstring(self.text)  # noqa: S314  # what our own door wrote

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]

    @property
    def says(self) -> str:
        return " ".join(say.text or "" for say in self.root.iter("Say"))

    @property
    def languages(self) -> list[str]:
        return [say.attrib["language"] for say in self.root.iter("Say")]

    def one(self, tag: str) -> ElementTree.Element:
        found = list(self.root.iter(tag))
        assert found, f"no {tag} in {self.text}"
        return found[0]

    def attribute(self, tag: str, name: str) -> str:
        return self.one(tag).attrib[name]

    def words(self, tag: str) -> str:
        return self.one(tag).text or ""


class Twilio:
    """Sends webhooks to the door, at its public address."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, address: str, params: Params | None = None, **more: str) -> Twiml:
        """A signed webhook. address: a path, or the URL that the door gave out."""
        sent = {**(params or {}), **more}
        url = address if address.startswith("http") else PUBLIC_URL + address
        response = await self.http.post(
            path_of(url), data=sent, headers={"X-Twilio-Signature": signature(url, list(sent.items()))}
        )
        return Twiml(response.status_code, response.text)

    async def get(self, address: str) -> Twiml:
        url = address if address.startswith("http") else PUBLIC_URL + address
        response = await self.http.get(path_of(url), headers={"X-Twilio-Signature": signature(url, [])})
        return Twiml(response.status_code, response.text)

    async def call(self, address: str, sid: CallSid, digits: str | None = None, **more: str) -> Twiml:
        """A voice webhook of a caller's or responder's leg."""
        params = {
            "CallSid": sid,
            "AccountSid": "AC" + "0" * 32,
            "From": "+12025550199",
            "To": "+12025550101",
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
            "FromCity": "",
            **more,
        }
        if digits is not None:
            params["Digits"] = digits
        return await self.post(address, params)


def path_of(url: str) -> str:
    """What a proxy in front of the door asks it for: never the public host."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
