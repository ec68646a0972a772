"""The portal's own processes, started as `make up` starts them, and how much of the machine they use."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil

from portal.local.home import Home
from portal.local.leftovers import end
from portal.local.postgres import Postgres
from portal.local.sandbox_process import wait_for_page
from portal.local.up import LOCAL_SETTINGS, portal_programs

START_SECONDS = 90
SETTLE_SECONDS = 60


def in_database(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def application_url(home: Home, owner_url: str, name: str) -> str:
    """Return the address the portal's own processes use: not the owner's, where `make bench` made both roles."""
    if (home.path / "secrets" / "application-password").exists():
        return in_database(Postgres(home, urlsplit(owner_url).port or 5432).app_url, name)
    return in_database(owner_url, name)


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time, user and system."""

    web: float
    postgres: float
    worker: float

    def since(self, before: Usage) -> Usage:
        """Return what was used from then to now."""
        return Usage(self.web - before.web, self.postgres - before.postgres, self.worker - before.worker)


@dataclass(frozen=True)
class Servers:
    """The running processes."""

    port: int
    processes: Mapping[str, psutil.Process]
    postmaster: psutil.Process | None

    def usage(self) -> Usage:
        """Return the processor time used so far."""
        return Usage(
            _seconds(self.processes["web"]),
            0.0 if self.postmaster is None else _seconds(self.postmaster),
            _seconds(self.processes["worker"]),
        )

    def web_rss_mb(self) -> float:
        """Return the resident memory of the web server's processes together."""
        web = self.processes["web"]
        return sum(one.memory_info().rss for one in [web, *web.children(recursive=True)]) / 1_000_000

    def settle(self) -> None:
        """Wait until what is left to the processes is done: they use a tenth of a core, or a minute has passed."""
        until = time.monotonic() + SETTLE_SECONDS
        used = self.usage()
        while time.monotonic() < until:
            time.sleep(2)
            before, used = used, self.usage()
            busy = used.since(before)
            if busy.web + busy.postgres + busy.worker < 0.2:
                return


def _seconds(root: psutil.Process) -> float:
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Children that have ended count with whoever waited for them.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _postmaster(port: int) -> psutil.Process | None:
    for process in psutil.process_iter(["name", "cmdline"]):
        line = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and "-p" in line and str(port) in line:
            return process
    return None


@contextmanager
def running(home: Home, port: int, owner_url: str, database: str, place: Path) -> Iterator[Servers]:
    """Start web, worker, beat and listener on a database, as `make up` starts them; stop them after the block.

    `place` is their PORTAL_HOME: files and logs.
    """
    own = Home(place)
    own.prepare()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": LOCAL_SETTINGS,
        "DATABASE_URL": application_url(home, owner_url, database),
        "PORTAL_HOME": str(place),
        "PORTAL_PUBLIC_URL": f"http://127.0.0.1:{port}",
        # Sixteen clients share one token here, and the counting is to be measured, not the refusal.
        "PORTAL_API_RATE": "6000000",
    }
    with ExitStack() as stack:
        processes: dict[str, psutil.Process] = {}
        stack.callback(lambda: end(list(processes.values()), 10))
        for program in portal_programs(own, port):
            log = stack.enter_context((own.logs / f"{program.name}.log").open("ab"))
            # The mark is that of the surroundings, which end whatever outlives this process.
            processes[program.name] = psutil.Process(program.spawn(home, environment, log).pid)

        def check() -> None:
            if not processes["web"].is_running() or processes["web"].status() == psutil.STATUS_ZOMBIE:
                raise SystemExit(f"The web server ended:\n{(own.logs / 'web.log').read_text()[-2000:]}")

        wait_for_page(f"http://127.0.0.1:{port}/healthz", "The web server", START_SECONDS, check)
        servers = Servers(port, processes, _postmaster(urlsplit(owner_url).port or 5432))
        servers.settle()
        yield servers
