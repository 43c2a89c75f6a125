"""The last act of a command."""

import logging
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End this process now, with everything written that was said.

    Native threads of Temporal's SDK may still run while the interpreter ends, and abort it (SIGABRT, up to one
    time in three on Python 3.11), which makes a failure of what was done.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
