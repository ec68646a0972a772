"""A real MLflow tracking server on a SQLite of its own, with a door in front that asks for a token or a password."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from portal.local import mlflow_venv
from tests.sandbox import free_port

_PATIENCE = 300.0


@dataclass
class Mlflow:
    """Where it listens, and what a client of MLflow does there."""

    url: str
    process: subprocess.Popen[bytes]

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """POST to the REST API as MLflow's client does."""
        answer = requests.post(f"{self.url}/api/2.0/mlflow/{path}", json=body, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def experiment(self, name: str) -> str:
        """Make an experiment and return its id."""
        return str(self.ask("experiments/create", name=name)["experiment_id"])

    def run(
        self,
        experiment: str,
        metrics: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        *,
        name: str = "loud-fox-12",
        status: str = "FINISHED",
    ) -> str:
        """Log a run, ended unless its status says otherwise, and return its id."""
        now = int(time.time() * 1000)
        made = self.ask("runs/create", experiment_id=experiment, start_time=now, user_id="ana", run_name=name)
        run_id = str(made["run"]["info"]["run_id"])
        self.log(run_id, metrics or {}, params or {}, tags or {})
        if status != "RUNNING":
            self.end(run_id, status)
        return run_id

    def log(
        self,
        run_id: str,
        metrics: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Log metrics, parameters and tags into a run."""
        at = int(time.time() * 1000)
        self.ask(
            "runs/log-batch",
            run_id=run_id,
            metrics=[{"key": k, "value": v, "timestamp": at, "step": 0} for k, v in (metrics or {}).items()],
            params=[{"key": k, "value": v} for k, v in (params or {}).items()],
            tags=[{"key": k, "value": v} for k, v in (tags or {}).items()],
        )

    def end(self, run_id: str, status: str = "FINISHED") -> None:
        """End a run."""
        self.ask("runs/update", run_id=run_id, status=status, end_time=int(time.time() * 1000))

    @contextlib.contextmanager
    def asleep(self) -> Iterator[None]:
        """Stop every process of the server: it takes connections and answers nothing."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Mlflow]:
    """Start a tracking server; its packages are installed first where they are not yet. Fails when either fails."""
    python = mlflow_venv.python()
    port = free_port()
    command = [
        str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    environment = {
        **clean,
        "HOME": str(folder),
        "PATH": f"{python.parent}:{clean.get('PATH', '')}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Mlflow(f"http://127.0.0.1:{port}", process)
    try:
        _wait(server, folder)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(server: Mlflow, folder: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{server.url}/health", timeout=5).ok:
                return
        time.sleep(0.2)
    raise AssertionError(f"mlflow server did not start:\n{(folder / 'server.log').read_text()[-3000:]}")


@dataclass
class Door:
    """A proxy in front of the server: what it asks for, and whether it is open."""

    url: str
    wanted: str = ""
    asked: list[str] = field(default_factory=list)

    def asks_for_token(self, token: str) -> None:
        """Let in who shows this token."""
        self.wanted = f"Bearer {token}"

    def asks_for_password(self, name: str, password: str) -> None:
        """Let in who shows this name and password."""
        self.wanted = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@contextlib.contextmanager
def door(server: Mlflow, port: int = 0) -> Iterator[Door]:
    """Open a door in front of the server, at a port of its own or the one of a door that was closed before."""
    port = port or free_port()
    made = Door(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            made.asked.append(self.path)
            if made.wanted and self.headers.get("Authorization") != made.wanted:
                self._send(401, b"You are not authenticated.")
                return
            length = int(self.headers.get("Content-Length") or 0)
            answer = requests.request(
                self.command,
                f"{server.url}{self.path}",
                data=self.rfile.read(length) or None,
                headers={"Content-Type": self.headers.get("Content-Type") or "application/json"},
                timeout=30,
            )
            self._send(answer.status_code, answer.content)

        do_GET = do_POST = _answer  # noqa: N815 - names of http.server

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
