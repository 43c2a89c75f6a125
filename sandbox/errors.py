"""What the sandbox refuses, and how."""


class SandboxError(Exception):
    """Root of everything the sandbox raises on purpose."""


class Refused(SandboxError):  # noqa: N818  # an outcome in the domain's words
    """A REST request that Twilio would not carry out."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class TownError(SandboxError):
    """A town file, or a piece of it, that cannot be used. The message says where."""


class Unknown(SandboxError):  # noqa: N818  # an outcome in the domain's words
    """The control API or a test named a thing that is not there."""
