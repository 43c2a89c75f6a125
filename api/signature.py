# mypy: allow-untyped-calls
"""Whether a request comes from Twilio: its signature over the public URL and everything that was sent.

The URL is the one Twilio was given, whatever host and port a proxy hands on to us.
"""

from collections.abc import Callable, Sequence
from typing import cast

import structlog
from fastapi import Request
from twilio.request_validator import RequestValidator

from api.errors import NotSignedError

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.signature")

HEADER = "X-Twilio-Signature"
# Seen in the field to be sent without being signed; Twilio's documents do not say.
PERHAPS_UNSIGNED = frozenset({"CallToken", "StirVerstat"})

Sent = Sequence[tuple[str, str]]


class Sender:
    """Knows Twilio's signature under one auth token."""

    def __init__(self, auth_token: str, public_url: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._public_url = public_url

    async def check(self, request: Request) -> Sent:
        """The fields that Twilio sent; none of a GET. Raises NotSignedError where somebody else did."""
        sent: Sent = []
        if request.method == "POST":
            sent = [(k, v) for k, v in (await request.form()).multi_items() if isinstance(v, str)]
        signature = request.headers.get(HEADER)
        if signature is None:
            raise NotSignedError("no signature")
        url = self.public_address(request)
        if self._signs(url, sent, signature):
            return sent
        fewer = [(name, value) for name, value in sent if name not in PERHAPS_UNSIGNED]
        if len(fewer) < len(sent) and self._signs(url, fewer, signature):
            log.info("signed without some parameters", names=sorted(PERHAPS_UNSIGNED & dict(sent).keys()))
            return sent
        raise NotSignedError("wrong signature")

    def public_address(self, request: Request) -> str:
        """The URL as Twilio knows it, its percent-encoding untouched."""
        raw: object = request.scope.get("raw_path")
        path = raw.decode("ascii") if isinstance(raw, bytes) else request.url.path
        path = path.partition("?")[0]
        query = request.scope.get("query_string", b"").decode("ascii")
        return f"{self._public_url}{path}" + (f"?{query}" if query else "")

    def _signs(self, url: str, sent: Sent, signature: str) -> bool:
        validate = cast("Callable[[str, _Sent, str], bool]", self._validator.validate)
        return validate(url, _Sent(sent), signature)


class _Sent(dict[str, str]):
    """All values of a name, as the validator asks for them."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent)
        self._sent = sent

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self._sent if key == name]
