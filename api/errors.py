"""What can go wrong at the door: forged or malformed requests, and workflows that do not answer."""


class DoorError(Exception):
    """Anything below."""


class NotSignedError(DoorError):
    """A request to a Twilio route without Twilio's signature, or with a wrong one."""


class NoAnswerError(DoorError):
    """Temporal cannot be reached, or no worker answered within the limit."""


class ClosedError(DoorError):
    """The workflow is over, or never was."""


class NotTakenError(DoorError):
    """The workflow did not understand the message."""


class UnknownLineError(DoorError):
    """The configuration has no line of that name."""
