"""What the door is told by whoever joins it together: addresses, secrets, limits. Frozen; reads nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from workflows.tokens import Tokens


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Patience:
    """How long the door waits for Temporal, in seconds, while a person listens to the silence.

    Twilio hangs up on us after 15 s. The longest chain (a text: match, act, signal) stays under 6.5 s.
    """

    start_s: float = 4.0  # a caller hears ringing meanwhile; after it, tonight's rota answers
    act_s: float = 2.5  # then the durable signal, and "one moment"
    script_s: float = 2.0  # then the token's own items
    signal_s: float = 1.5  # answered by the server alone
    look_s: float = 1.5  # a query needs a worker; everything that uses one can do without
    ready_s: float = 1.0


@dataclass(frozen=True)
class Door:
    """Everything the door needs to know.

    public_url: as Twilio and people reach us, without a slash at the end; stream_url: the bridge, ws(s)://.
    digest_key: keys the one-way digest of callers' numbers. spool: the file for what Temporal could not take.
    searchable: whether the Temporal server knows our search attributes. voice: whether there is a speech model.
    """

    public_url: str
    stream_url: str
    auth_token: str = field(repr=False)
    tokens: Tokens = field(repr=False)
    digest_key: bytes = field(repr=False)
    alert_token: str = field(repr=False)
    spool: Path
    searchable: bool = True
    voice: bool = False
    patience: Patience = Patience()
    now: Callable[[], datetime] = field(default=_utc_now, repr=False)
