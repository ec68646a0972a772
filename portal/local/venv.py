"""Make `.venv`, fill it from a lock file and put the client of `cli/` into it; run by make before anything else.

    python3 -I portal/local/venv.py local|dev

Standard library only, and readable for old Pythons too, so that they get an error and not a traceback.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
LOCKS = {name: ROOT / "requirements" / f"{name}.lock" for name in ("local", "dev")}
CLIENT = ROOT / "cli"


def main() -> int:
    """Make the environment hold what the lock says, and the client; do nothing when it already does."""
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        return fail("usage: python3 -I portal/local/venv.py local|dev")
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return fail(
            f"The portal runs on Python 3.11, 3.12 or 3.13, and {sys.executable} is {sys.version.split()[0]}. "
            "Name another one, for example: make up PYTHON=python3.12"
        )
    # The directory itself is the lock: make up and make test in one clone wait for each other here.
    descriptor = os.open(LOCKS["local"].parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return install(sys.argv[1]) or install_client()
    finally:
        os.close(descriptor)


def install(wanted: str) -> int:
    """Create the environment where needed; install the lock of that name, or the larger one already there."""
    stamp = read_stamp()
    version = ".".join(str(part) for part in sys.version_info[:3])
    if not usable():
        print(f"Making .venv with Python {version}", flush=True)
        stamp = {}
        if run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
            return fail("The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv")
    # The dev lock holds everything of the local one: going back to the smaller one would pull it apart.
    name = "dev" if "dev" in (wanted, stamp.get("name")) else "local"
    current = {"python": version, "name": name, "sha256": hashlib.sha256(LOCKS[name].read_bytes()).hexdigest()}
    if {key: stamp.get(key) for key in current} == current:
        return 0
    print(f"Installing the packages of requirements/{name}.lock into .venv (a minute or so)", flush=True)
    began = time.time()
    # The lock is complete and hashed, so pip has nothing to work out; of what it brings a quarter is ever imported, and
    # compiled then.
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps", "--no-compile"]
    if run([str(PYTHON), "-m", "pip", "install", *options, "--requirement", str(LOCKS[name])]):
        return fail("The packages could not be installed; pip's reason stands above. Nothing else was started.")
    write_stamp(current)
    print(f"Installed in {time.time() - began:.0f} s", flush=True)
    return 0


def install_client() -> int:
    """Put the command `governance` into the environment, from the lock's packages alone: no index, no network.

    It is installed in place, so it is always what stands in cli/; again only when it is declared differently, when the
    lock was installed anew, or when its command is gone.
    """
    stamp = read_stamp()
    declared = hashlib.sha256((CLIENT / "pyproject.toml").read_bytes()).hexdigest()
    current = {**stamp, "client": declared, "client_from": str(CLIENT)}
    if stamp == current and (VENV / "bin" / "governance").exists():
        return 0
    # --isolated: no setting of this machine's pip, such as an index or a target, has a say in it.
    options = ["--isolated", "--quiet", "--disable-pip-version-check", "--no-input", "--no-index"]
    options += ["--no-deps", "--no-build-isolation", "--editable"]
    if run([str(PYTHON), "-m", "pip", "install", *options, str(CLIENT)]):
        return fail("The command governance of cli/ could not be installed; pip's reason stands above.")
    write_stamp(current)
    return 0


def write_stamp(installed: dict[str, str]) -> None:
    """Keep what was installed, all of it or nothing."""
    new = STAMP.with_suffix(".new")
    new.write_text(json.dumps(installed))
    new.replace(STAMP)


def usable() -> bool:
    """Tell whether .venv works and is of the Python that runs this."""
    script = "import sys, pip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([str(PYTHON), "-c", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def read_stamp() -> dict[str, str]:
    """Return what was installed last, or nothing."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def run(command: list[str]) -> int:
    """Run a command and show what it said only when it failed."""
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
    return done.returncode


def fail(message: str) -> int:
    """Print the message and return the exit code of a failure."""
    sys.stderr.write(f"make: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
