"""Whether something answers: exit code 0 or 1. For health checks in containers, which bring no curl.

answers.py http://127.0.0.1:8000/health    a 2xx
answers.py tcp://127.0.0.1:8002            a connection
"""

import socket
import sys
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

TIMEOUT_S = 4  # the check itself is given five


def answers(url: str) -> bool:
    """Ask once."""
    address = urlsplit(url)
    try:
        if address.scheme == "tcp":
            socket.create_connection((address.hostname or "", address.port or 0), TIMEOUT_S).close()
            return True
        with urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  # the address is the operator's
            status: int = answer.status
            return 200 <= status < 300
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1]))
