"""Make `.mlflow-venv`, which holds the MLflow tracking server that tests read runs of, from its own lock file.

    python3 -I portal/local/mlflow_venv.py [--background]

MLflow brings a hundred packages that the portal has no use for, so they lie in an environment of their own. In the
background, the installation goes on beside the tests that do not need it; those that do call `python()` and wait.
Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".mlflow-venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
LOCK = ROOT / "requirements" / "mlflow.lock"


class NotInstalled(Exception):
    """MLflow could not be installed; pip's own words are in the message."""


def main() -> int:
    """Install what is missing, at once or in a process that goes on when this one has ended."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--background"]):
        sys.stderr.write("usage: python3 -I portal/local/mlflow_venv.py [--background]\n")
        return 2
    if arguments and not is_current():
        # A session of its own: what stops the tests does not leave half an environment behind.
        subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).resolve())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return 0
    try:
        python()
    except NotInstalled as error:
        sys.stderr.write(f"make: {error}\n")
        return 2
    return 0


def python() -> Path:
    """Return the Python of the environment, installed and whole; waits for whoever installs it. Raises NotInstalled."""
    if is_current():
        return PYTHON
    with _alone():
        # Whoever held the lock may have done it.
        if not is_current():
            _install()
    return PYTHON


def is_current() -> bool:
    """Whether the environment holds what the lock file says, for the Python that runs this."""
    try:
        return bool(json.loads(STAMP.read_text()) == _wanted()) and PYTHON.exists()
    except (OSError, ValueError):
        return False


def _install() -> None:
    _run("The environment could not be made", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    # The lock is complete and hashed, so pip has nothing to work out; of a hundred packages few modules are ever run.
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps", "--no-compile"]
    _run(
        "The packages of requirements/mlflow.lock could not be installed",
        [str(PYTHON), "-m", "pip", "install", *options, "--requirement", str(LOCK)],
    )
    new = STAMP.with_suffix(".new")
    new.write_text(json.dumps(_wanted()))
    new.replace(STAMP)


def _wanted() -> dict[str, str]:
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "sha256": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
    }


def _run(problem: str, command: list[str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise NotInstalled(f"{problem}: {done.stdout.decode(errors='replace')[-3000:]}")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the environment's directory, which is emptied but never replaced."""
    VENV.mkdir(exist_ok=True)
    descriptor = os.open(VENV, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
