"""The sandbox AWS as a process of its own: how to start it and how the portal is pointed at it."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.ports import HOST
from portal.local.programs import Program

START_SECONDS = 60
# Any of these says that the portal is to talk to an AWS that is already there.
GIVEN = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
# A proxy of the network must not be asked for addresses on this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def aws_given(environ: Mapping[str, str]) -> str | None:
    """Return the name of the variable that points at an AWS outside, or None when there is none."""
    return next(
        (name for name in sorted(environ) if environ[name] and (name in GIVEN or name.startswith("AWS_ENDPOINT_URL_"))),
        None,
    )


@dataclass(frozen=True)
class Sandbox:
    """The sandbox AWS of one home; what it remembers lies in `sandbox/`."""

    home: Home
    port: int

    @property
    def url(self) -> str:
        """The endpoint for every AWS client."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 reaches the sandbox, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def prepare(self) -> None:
        """Make its directory."""
        self.home.sandbox.mkdir(exist_ok=True, mode=0o700)

    def program(self) -> Program:
        """Describe the process."""
        return Program(
            name="sandbox",
            command=(
                sys.executable,
                "-m",
                "portal.local.sandbox",
                "--port",
                str(self.port),
                "--state",
                str(self.home.sandbox),
            ),
        )

    def wait_ready(self, check: Callable[[], None]) -> None:
        """Return once it reports its health; `check` raises when its process has failed.

        Raises LocalError after a minute.
        """
        wait_for_page(f"{self.url}/sandbox/health", "The sandbox AWS", START_SECONDS, check)


def wait_for_page(url: str, what: str, seconds: float, check: Callable[[], None]) -> None:
    """Return once the address answers 200.

    `check` raises when there is no use in waiting. Raises LocalError with the last answer when the time is
    up.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with DIRECT.open(url, timeout=10) as answer:
                if answer.status == 200:
                    return
                last = f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            last = f"HTTP {error.code}"
            # It is up and says no: asking ten times a second would only fill its log.
            time.sleep(0.9)
        except OSError as error:
            last = str(error)
        check()
        if time.monotonic() > deadline:
            raise LocalError(f"{what} did not answer 200 at {url} within {seconds:.0f} s (last: {last}).")
        time.sleep(0.1)
