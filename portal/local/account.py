"""Which user runs PostgreSQL, and where its files may lie.

PostgreSQL refuses to run as root. Started by root it therefore runs as `nobody`, without making a user and
without opening any directory that is closed. Where `nobody` cannot reach PORTAL_HOME (a clone below
`/root`, say), the database files lie in `/var/lib/model-governance-portal/` and a file named
`postgres-17.location` in PORTAL_HOME says where.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from portal.local.errors import LocalError
from portal.local.home import Home, write_private
from portal.local.programs import drop_to

SHARED = (Path("/var/lib/model-governance-portal"), Path("/var/tmp/model-governance-portal"))
UNPRIVILEGED = "nobody"


def server_user(data: Path | None = None) -> str | None:
    """Return the user name PostgreSQL is to run as, or None for the present user.

    As root that is the owner of the existing database files, else `nobody`. Raises LocalError when this
    system has no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        if data is not None and data.exists() and data.stat().st_uid != 0:
            return pwd.getpwuid(data.stat().st_uid).pw_name
        return pwd.getpwnam(UNPRIVILEGED).pw_name
    except KeyError as error:
        raise LocalError(
            f"PostgreSQL does not run as root and this system has no user for it ({error.args[0]}). "
            "Run make as an ordinary user, or give DATABASE_URL."
        ) from error


def may(user: str | None, test: str, path: Path) -> bool:
    """Try, as that user, the `test` of the shell: -x (pass through or execute), -w, -r."""
    argv = ["test", test, str(path)]
    return subprocess.run(argv, cwd="/", check=False, **drop_to(user)).returncode == 0


def give(path: Path, user: str | None) -> None:
    """Make that user the owner of a file or directory, readable by nobody else."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def data_directory(home: Home, name: str) -> Path:
    """Return where the database files of this home lie; the choice is made once and kept.

    Inside the home whenever the server's user can reach it.
    """
    inside = home.path / name
    pointer = home.path / f"{name}.location"
    if inside.exists():
        return inside
    if pointer.exists():
        return Path(pointer.read_text().strip())
    if may(server_user(), "-x", home.path):
        return inside
    shared = shared_directory()
    _forget_removed_homes(shared)
    # A name of its own for each home: when somebody deletes .local to begin anew, the next one must not meet
    # old files whose password went with it.
    place = shared / "homes" / secrets.token_hex(8)
    place.mkdir(parents=True)
    place.parent.chmod(0o711)
    place.chmod(0o711)
    (place / "home").write_text(f"{home.path}\n")
    write_private(pointer, f"{place / name}\n")
    return place / name


def remove_outside_data(home: Home, name: str) -> None:
    """Delete the database files that lie outside this home, if any; for homes made for one test run."""
    pointer = home.path / f"{name}.location"
    if pointer.exists():
        shutil.rmtree(Path(pointer.read_text().strip()).parent, ignore_errors=True)


def shared_directory() -> Path:
    """Return the directory, owned by root, for what several homes share.

    Raises LocalError when there is none.
    """
    for place in SHARED:
        try:
            place.mkdir(exist_ok=True)
            if place.is_symlink() or place.stat().st_uid != os.geteuid():
                continue
            place.chmod(0o755)
        except OSError:
            continue
        return place
    raise LocalError(
        f"PostgreSQL does not run as root, and neither {SHARED[0]} nor {SHARED[1]} can hold its files. "
        "Run make as an ordinary user, or give DATABASE_URL."
    )


def _forget_removed_homes(shared: Path) -> None:
    """Delete database files whose PORTAL_HOME somebody deleted.

    Kept when the directory around the home is missing too: it may be on a disk that is not mounted now. The
    temporary directory is no such disk.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    for place in (shared / "homes").glob("*"):
        try:
            owner = Path((place / "home").read_text().strip())
            kept = {Path(pointer.read_text().strip()).parent for pointer in owner.glob("postgres-*.location")}
        except OSError:
            continue
        if place not in kept and (owner.parent.exists() or temporary in owner.parents):
            shutil.rmtree(place, ignore_errors=True)
