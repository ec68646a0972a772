"""What the portal stands on: PostgreSQL, Valkey and AWS, each either given by the environment or started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg
import redis

from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.ports import Ports, require_free
from portal.local.postgres import Postgres
from portal.local.programs import MARK
from portal.local.sandbox_process import Sandbox, aws_given
from portal.local.valkey import Valkey

Embedded = Postgres | Valkey | Sandbox


@dataclass(frozen=True)
class Services:
    """The services of one run: those to start here, and the environment that leads to all of them.

    `given` names the variable that stands for a service which is not started.
    """

    home: Home
    ports: Ports
    postgres: Postgres | None = None
    valkey: Valkey | None = None
    sandbox: Sandbox | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def chosen_by(cls, environ: Mapping[str, str], home: Home, ports: Ports) -> Services:
        """Start what the environment does not give.

        It gives by DATABASE_URL, REDIS_URL, and an endpoint or credentials of AWS.
        """
        given = {}
        if environ.get("DATABASE_URL"):
            given["postgres"] = "DATABASE_URL"
        if environ.get("REDIS_URL"):
            given["valkey"] = "REDIS_URL"
        if name := aws_given(environ):
            given["sandbox"] = name
        return cls(
            home,
            ports,
            None if "postgres" in given else Postgres(home, ports.postgres),
            None if "valkey" in given else Valkey(home, ports.valkey),
            None if "sandbox" in given else Sandbox(home, ports.sandbox),
            given,
        )

    @property
    def embedded(self) -> dict[str, Embedded]:
        """The services to start here, by what they are called in messages."""
        named = {"PostgreSQL": self.postgres, "Valkey": self.valkey, "the sandbox AWS": self.sandbox}
        return {name: service for name, service in named.items() if service is not None}

    def require_free_ports(self) -> None:
        """Raise LocalError when a port of a service to start is taken."""
        for name, service in self.embedded.items():
            require_free(service.port, name)

    def prepare(self) -> None:
        """Make directories, configuration and, on first use, the database files."""
        for service in self.embedded.values():
            service.prepare()

    def wait_ready(self, check: Callable[[str], None]) -> None:
        """Return once all of them answer; `check` gets a program's name and raises when it has failed.

        Services that were given are tried once. Raises LocalError when one does not answer.
        """
        for service in self.embedded.values():
            name = service.program().name
            service.wait_ready(lambda name=name: check(name))  # type: ignore[misc]
        if self.postgres is not None:
            self.postgres.provision()

    def require_given(self, environ: Mapping[str, str]) -> None:
        """Try the database and the broker that were given. Raises LocalError when one does not answer."""
        if "postgres" in self.given:
            try:
                psycopg.connect(environ["DATABASE_URL"], connect_timeout=10).close()
            except psycopg.Error as error:
                raise LocalError(f"The database of DATABASE_URL does not answer: {error}") from error
        if "valkey" in self.given:
            try:
                with redis.Redis.from_url(environ["REDIS_URL"], socket_connect_timeout=10) as client:
                    client.ping()
            except (redis.RedisError, ValueError) as error:
                raise LocalError(f"The broker of REDIS_URL does not answer: {error}") from error

    def portal_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of web, worker and beat: they do not connect as the owner of the tables.

        A database that was given has one role for everything, as far as this program knows.
        """
        return {**environment, "DATABASE_URL": self.postgres.app_url} if self.postgres else dict(environment)

    def environment(self, environ: Mapping[str, str], settings: str) -> dict[str, str]:
        """Return the environment that prepares the database, and that tests run in: the given one, completed."""
        result = dict(environ)
        result |= {
            "DJANGO_SETTINGS_MODULE": settings,
            "PORTAL_HOME": str(self.home.path),
            "PORTAL_PORT": str(self.ports.web),
            "PORTAL_SECRET_KEY": environ.get("PORTAL_SECRET_KEY") or self.home.secret("secret-key"),
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.home.path),
        }
        if self.postgres is not None:
            result["DATABASE_URL"] = self.postgres.url
        if self.valkey is not None:
            result["REDIS_URL"] = self.valkey.url
        if self.sandbox is not None:
            result |= self.sandbox.environment
        # A proxy of the network must not be asked for addresses on this machine.
        local = [name for name in (environ.get("NO_PROXY"), environ.get("no_proxy"), "127.0.0.1,localhost") if name]
        result["NO_PROXY"] = result["no_proxy"] = ",".join(local)
        if "PORTAL_PUBLIC_URL" not in result:
            result["PORTAL_PUBLIC_URL"] = f"http://127.0.0.1:{self.ports.web}"
        # Set by make for its own children; a program started by the portal is none of them.
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            result.pop(name, None)
        return result
