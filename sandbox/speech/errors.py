"""What the speech model refuses, and how."""

from sandbox.errors import SandboxError


class Refusal(SandboxError):  # noqa: N818  # an outcome in the domain's words
    """A client event that is answered by `error`. The session goes on.

    param: the path of the field at fault. kind: the error's `type`.
    """

    def __init__(
        self, message: str, *, code: str | None, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind


class WeightsError(SandboxError):
    """Packages or weights of the local model that are absent or are not what they should be."""


class OverloadedError(SandboxError):
    """More work for the ears and the voice than they may have waiting."""
