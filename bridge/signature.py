"""Whether a web socket was opened by Twilio: it signs the address it was given, which is ours to know."""

from urllib.parse import urlsplit, urlunsplit

from twilio.request_validator import RequestValidator

HEADER = "X-Twilio-Signature"


class Signatures:
    """Checks signatures against the public address of the streams, never against what a proxy made of it."""

    def __init__(self, auth_token: str, stream_url: str, *, required: bool = True) -> None:
        self._validator = RequestValidator(auth_token)  # type: ignore[no-untyped-call]  # the library's
        self._stream_url = stream_url
        self._required = required

    def good(self, signature: str | None, path: str) -> bool:
        """Whether Twilio signed this. path: as the request has it, with its query."""
        if signature is None:
            return not self._required
        return any(self._signed(url, signature) for url in self._addresses(path))

    def _signed(self, url: str, signature: str) -> bool:
        return bool(self._validator.validate(url, {}, signature))  # type: ignore[no-untyped-call]  # the library's

    def _addresses(self, path: str) -> set[str]:
        """Our public address as our TwiML may have written it: a slash at its end is signed too."""
        base = self._stream_url.rstrip("/")
        parts = urlsplit(base)
        origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        return {base, f"{base}/", f"{base}{path}", f"{origin}{path}"}
