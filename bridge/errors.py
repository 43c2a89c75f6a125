"""Whose fault it is when a stream cannot go on."""


class BridgeError(Exception):
    """A stream cannot go on."""


class LocalProtocolError(BridgeError):
    """We asked the stream for something that its state does not allow: a bug of ours."""


class RemoteProtocolError(BridgeError):
    """The other side sent what the protocol does not allow."""
