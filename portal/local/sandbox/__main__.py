"""Start the sandbox: ``python -m portal.local.sandbox --port N --state DIR``."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path


def main() -> int:
    """Read the arguments, then serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m portal.local.sandbox", description="AWS on one machine")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--state", type=Path, required=True, help="directory the state is kept in")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--invitation-seconds",
        type=float,
        metavar="S",
        help="how long a RAM invitation stays open (default: RAM's twelve hours)",
    )
    given = parser.parse_args()
    from .server import run

    lifetime = None if given.invitation_seconds is None else timedelta(seconds=given.invitation_seconds)
    return run(given.host, given.port, given.state, lifetime)


if __name__ == "__main__":
    sys.exit(main())
