"""The recordings of the network's legs: started by request or all of them, kept after the call is over."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from sandbox.errors import TownError, Unknown
from sandbox.ids import CallSid
from sandbox.legs import Leg
from sandbox.sound.tape import Tape
from sandbox.world import World

KEPT_TAPES = 10_000
KEPT_BYTES = (
    512 * 2**20
)  # of sound in memory, while there are tapes that are over: of them the oldest are dropped


class Tapes:
    """See the top of this file."""

    def __init__(self, world: World, leg_of: Callable[[str], Leg | None]) -> None:
        self.folder: Path | None = None  # where every leg is recorded, if they all are
        self._world = world
        self._leg_of = leg_of
        self._tapes: OrderedDict[CallSid, Tape] = OrderedDict()
        self._stopped: set[CallSid] = set()

    def record(self, sid: str) -> Tape:
        """Record that leg from now on; one that is recorded already goes on. Raises Unknown, TownError."""
        if (known := self._tapes.get(CallSid(sid))) is not None:
            return known
        leg = self._leg_of(sid)
        if leg is None:
            message = f"no leg {sid} is alive"
            raise Unknown(message)
        return self._start(leg, None)

    def begin(self, leg: Leg) -> None:
        """A leg has come to be: where all are recorded, it is from its answer on."""
        folder = self.folder
        if folder is None:
            return

        def connected() -> None:
            if leg.connected:
                try:
                    self._start(leg, folder)
                except OSError as error:
                    self._world.alert(0, f"the leg is not recorded: {error}", call=leg.call.sid)

        leg.on_connected(connected)

    def _start(self, leg: Leg, folder: Path | None) -> Tape:
        studio, circuit = self._world.studio, leg.circuit
        if studio is None or circuit is None:
            raise TownError("this network has no sound to record: start it with --voice light")
        self._make_room()
        sid = leg.call.sid
        tape = self._tapes[sid] = Tape(studio.plane, circuit, folder, f"{sid}")

        def over() -> None:
            tape.stop()
            self._stopped.add(sid)

        leg.at_end(over)
        return tape

    def _make_room(self) -> None:
        """Forget the oldest recordings that are over, as long as there is too much."""
        held = sum(tape.size for tape in self._tapes.values())
        for sid in [sid for sid in self._tapes if sid in self._stopped]:
            if held <= KEPT_BYTES and len(self._tapes) < KEPT_TAPES:
                return
            held -= self._tapes.pop(sid).size
            self._stopped.discard(sid)

    def of(self, sid: str) -> Tape:
        """Raises Unknown."""
        tape = self._tapes.get(CallSid(sid))
        if tape is None:
            message = f"leg {sid} is not recorded: POST /_sandbox/calls/{sid}/recording does that"
            raise Unknown(message)
        return tape

    def stop(self) -> None:
        """Close every tape."""
        for tape in self._tapes.values():
            tape.stop()
