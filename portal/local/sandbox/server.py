"""Run the sandbox: claim the port, restore the state, serve until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

# moto reads its settings when it is imported: no header for browsers, and no account forced by the environment.
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
os.environ.pop("MOTO_ACCOUNT_ID", None)

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from .application import SandboxApplication
from .install import install
from .persistence import load, save
from .settings import settings
from .state import StateError, StateFile, journal

log = logging.getLogger(__name__)


class PortTaken(Exception):
    """The port cannot be listened on; the message names it."""


class _Handler(MotoRequestHandler):
    # Answers go out as headers and body: without this each waits for the other side's delayed acknowledgement.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        if type == "error":
            log.error(message, *args)


def claim(host: str, port: int) -> socket.socket:
    """Bind the port, so that a taken one is known before anything else happens. Raises PortTaken."""
    claimed = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        claimed.bind((host, port))
        claimed.listen(128)
    except (OSError, OverflowError) as error:  # OverflowError: no port has that number
        claimed.close()
        why = error.strerror if isinstance(error, OSError) else error
        raise PortTaken(f"port {port} on {host} cannot be used: {why}") from None
    return claimed


def serve(host: str, port: int, directory: Path, invitation_lifetime: timedelta | None = None) -> None:
    """Serve AWS on ``host:port`` with the state in ``directory`` until SIGTERM or SIGINT.

    Raises PortTaken, or StateError when the state cannot be used.
    """
    claimed = claim(host, port)
    install()
    if invitation_lifetime is not None:
        settings.invitation_seconds = invitation_lifetime.total_seconds()
    state = StateFile(directory)
    rows = load(state)
    server = make_server(
        host, port, SandboxApplication(state, journal), threaded=True, request_handler=_Handler, fd=claimed.fileno()
    )

    def stop(signum: int, frame: Any) -> None:
        journal.closing.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"sandbox AWS: http://{host}:{port} ({rows} rows from {state.path})", flush=True)
    server.serve_forever(poll_interval=0.05)
    with journal.lock:  # the request under way is answered or not done at all
        save(state, journal)
        state.close()
    server.server_close()
    claimed.close()


def run(host: str, port: int, directory: Path, invitation_lifetime: timedelta | None = None) -> int:
    """Serve, and turn what stops the start into one line on stderr and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="sandbox AWS: %(levelname)s %(name)s %(message)s")
    try:
        serve(host, port, directory, invitation_lifetime)
    except (PortTaken, StateError) as error:
        print(f"sandbox AWS: {error}", file=sys.stderr)
        return 1
    return 0
