"""`make up`: start the whole portal on this machine, keep it running in the foreground, stop all of it.

    this process ── supervisord ─┬─ postgres, valkey, sandbox     (start at once, stop last)
                                 └─ web, worker, beat, listener   (start when the schema is there)

This process holds the lock on PORTAL_HOME, decides what to start, waits until each part answers, prints
where to go, shows the logs, and stops supervisord. supervisord starts again whatever dies. When this process
is killed the kernel tells supervisord to stop; when both are killed the next start ends the rest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType

from portal.local.demo_users import DEMO_PASSWORD, DEMO_USERS
from portal.local.errors import LocalError
from portal.local.home import PROJECT, Home
from portal.local.leftovers import end_leftovers, record
from portal.local.logs import LogFollower
from portal.local.ports import HOST, Ports, ports_from, require_free
from portal.local.postgres import APP_ROLE
from portal.local.programs import Program
from portal.local.sandbox_process import wait_for_page
from portal.local.services import Services
from portal.local.supervisor import Supervisor

LOCAL_SETTINGS = "portal.settings.local"
WEB_SECONDS = 60
WATCH_SECONDS = 2
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Raised by the first signal that asks us to stop."""


def main() -> int:
    """Run `make up`; return 0 after being asked to stop and 1 when something is in the way."""
    try:
        Up(os.environ).run()
    except LocalError as error:
        print(f"\nmake up: {error}", file=sys.stderr, flush=True)
        return 1
    except Stop:
        pass
    return 0


def require_local_settings(environ: Mapping[str, str]) -> None:
    """Raise LocalError unless the settings are the local ones: demo passwords exist under no others."""
    settings = environ.get("DJANGO_SETTINGS_MODULE") or LOCAL_SETTINGS
    if settings != LOCAL_SETTINGS:
        raise LocalError(
            f"DJANGO_SETTINGS_MODULE is {settings}. make up loads demo data and demo passwords, which it "
            f"refuses under any settings but {LOCAL_SETTINGS}. Unset DJANGO_SETTINGS_MODULE; in production "
            "the processes are started one by one, without make up."
        )


def portal_programs(home: Home, port: int) -> list[Program]:
    """Describe the portal's own processes: web, worker, beat and the listener to registry events."""
    python = sys.executable
    return [
        Program(
            name="web",
            command=(
                *(python, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)),
                # Each thread holds a database connection; left alone granian goes up to 512 of them.
                *("--workers", "2", "--blocking-threads", "2", "--backpressure", "64", "--no-ws"),
                # How granian ends a worker that still serves an open connection.
                *("--workers-kill-timeout", "3"),
                "portal.wsgi:application",
            ),
            # Threads of one process share two heaps instead of having one each: 6 MB less a process, and no slower.
            # What a long answer took goes back to the system, instead of raising the size from which on it does.
            environment={
                "MALLOC_ARENA_MAX": "2",
                "MALLOC_MMAP_THRESHOLD_": "131072",
                "MALLOC_TRIM_THRESHOLD_": "131072",
            },
        ),
        Program(
            name="worker",
            command=(
                # Where people wait and AWS does not, the worker leaves the processors to the web server.
                *("nice", "-n", "10"),
                *(python, "-m", "celery", "--quiet", "-A", "portal", "worker", "--loglevel", "INFO"),
                *("--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle"),
            ),
            # On a laptop root is usually the only user of a container, and the warning fills the screen.
            environment={"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"},
        ),
        Program(
            name="beat",
            command=(
                *(python, "-m", "celery", "--quiet", "-A", "portal", "beat", "--loglevel", "WARNING"),
                *("--pidfile=", "--schedule", str(home.run / "beat-schedule")),
            ),
            stop_seconds=4,
        ),
        Program(
            name="listener",
            command=(python, str(PROJECT / "manage.py"), "listen_to_events"),
            # What is being taken in when it is asked to stop is finished first.
            stop_seconds=12,
        ),
    ]


class Up:
    """One run of the portal on this machine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read PORTAL_HOME, PORTAL_PORT and what is given of the services.

        Raises LocalError for bad values.
        """
        require_local_settings(environ)
        self.environ = environ
        self.ports: Ports = ports_from(environ)
        self.home = Home.of(environ)
        self.services = Services.chosen_by(environ, self.home, self.ports)
        self.url = f"http://{HOST}:{self.ports.web}"
        self._stopping = False
        self._supervisor: Supervisor | None = None
        self._programs = portal_programs(self.home, self.ports.web)
        self._follower = LogFollower(self.home.logs, [program.name for program in self._programs])
        self._failed: set[str] = set()

    def run(self) -> None:
        """Start everything, watch it until a signal comes, stop everything.

        Raises LocalError when something is in the way, and Stop when it was asked to stop.
        """
        for number in STOP_SIGNALS:
            # nohup asks for a closed terminal to be no reason to stop.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        self.home.prepare()
        with self.home.lock():
            self.home.write_state("up", {"pid": os.getpid(), "url": self.url})
            self._clear_leftovers()
            try:
                self._start()
                self._watch()
            finally:
                self._stop()

    def _start(self) -> None:
        began = time.monotonic()
        require_free(self.ports.web, "the web server")
        self.services.require_free_ports()
        for name, service in self.services.embedded.items():
            say(f"Starting {name} on {HOST}:{service.port}")
        for variable in self.services.given.values():
            say(f"Using what {variable} gives")
        self.services.require_given(self.environ)
        self.services.prepare()
        environment = self.services.environment(self.environ, LOCAL_SETTINGS)
        supervisor = Supervisor(
            self.home,
            [service.program() for service in self.services.embedded.values()],
            self._programs,
        )
        self._supervisor = supervisor
        supervisor.start(self.services.portal_environment(environment))
        record(self.home, supervisor.pids())
        self.services.wait_ready(supervisor.require)
        say("Bringing the database up to date")
        self._prepare_database(environment)
        say("Starting web, worker, beat and listener")
        self._follower.start()
        supervisor.start_portal()
        wait_for_page(f"{self.url}/healthz", "The web server", WEB_SECONDS, lambda: supervisor.require("web"))
        record(self.home, supervisor.pids())
        self._banner(time.monotonic() - began)

    def _prepare_database(self, environment: Mapping[str, str]) -> None:
        demo = "sandbox" if self.services.sandbox is not None else "people"
        grant = ["--grant-to", APP_ROLE] if self.services.postgres is not None else []
        with subprocess.Popen(
            [sys.executable, "-m", "portal.local.prepare", "--demo", demo, *grant],
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
        ) as process:
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
        if code:
            raise LocalError(
                "The database could not be prepared; the reason stands above. Nothing was lost: "
                "put it right and run make up again."
            )

    def _banner(self, seconds: float) -> None:
        lines = ["", f"The portal is ready ({seconds:.0f} s):  {self.url}", ""]
        lines.append(f'Sign in as one of these, password "{DEMO_PASSWORD}":')
        lines += [f"  {user.username:<19} {user.role:<19} {user.does}" for user in DEMO_USERS]
        if self.services.sandbox is not None:
            lines += ["", f"Sandbox AWS endpoint:  {self.services.sandbox.url}"]
        else:
            lines += [
                "",
                f"AWS as given by {self.services.given['sandbox']}: no sandbox, and no demo accounts.",
                "Sign in as ml.admin to register yours.",
            ]
        lines += [f"Data and logs:         {self.home.path}", "", "Stop everything:       Ctrl-C", ""]
        say("\n".join(lines))

    def _watch(self) -> None:
        supervisor = self._supervisor
        assert supervisor is not None
        while True:
            time.sleep(WATCH_SECONDS)
            supervisor.require_running()
            try:
                programs = supervisor.programs()
            except OSError:  # it is on its way out; the next round sees it gone
                continue
            record(self.home, supervisor.pids())
            self._report_failures(programs)

    def _report_failures(self, programs: Iterable[Mapping[str, object]]) -> None:
        for program in programs:
            name = str(program["name"])
            if program["statename"] == "FATAL" and name not in self._failed:
                say(
                    f"make up: {name} failed again and again and was given up; see "
                    f"{self.home.logs / f'{name}.log'}. The rest keeps running; Ctrl-C stops it."
                )
                self._failed.add(name)
            elif program["statename"] == "RUNNING":
                self._failed.discard(name)

    def _stop(self) -> None:
        self._stopping = True
        if self._supervisor is not None:
            say("\nStopping")
            self._supervisor.stop()
            self._follower.stop()
            self._clear_leftovers()
            say("Everything is stopped; the data is kept.")

    def _clear_leftovers(self) -> None:
        database = self.services.postgres.data if self.services.postgres is not None else None
        ended = end_leftovers(self.home, database)
        if ended and not self._stopping:
            say(f"Ended {ended} processes that an earlier run had left behind")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise Stop
        # Somebody is in a hurry: whatever supervisord leaves behind is ended right after.
        if self._supervisor is not None:
            self._supervisor.kill()


def say(text: str) -> None:
    """Print a line at once; a reader that has gone away is no reason to stop."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for the rest of the run


if __name__ == "__main__":
    sys.exit(main())
