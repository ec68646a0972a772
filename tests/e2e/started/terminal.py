"""People at a terminal: signed in by password, typing `governance ...`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.run import Done, run

from ..pages import PASSWORD
from .conftest import StartedPortal, eventually

DEVELOPMENT, TEST, PRODUCTION = "222222222222", "333333333333", "444444444444"
ACCOUNTS = {"development": DEVELOPMENT, "qa": TEST, "pre_production": TEST, "production": PRODUCTION}
DOWN = "http://127.0.0.1:1"


class Person:
    """Somebody at a terminal, signed in by password; the token lies in a configuration folder of his own."""

    def __init__(self, portal: StartedPortal, folder: Path, name: str) -> None:
        self.env = {"XDG_CONFIG_HOME": str(folder / name), "GOVERNANCE_URL": None, "GOVERNANCE_TOKEN": None}
        done = run("--url", portal.url, "login", "-u", name, typed=f"{PASSWORD}\n", env=self.env)
        assert done.code == 0, done.err
        self.token = str(json.loads((folder / name / "governance" / "token.json").read_text())["token"])

    def types(self, *words: str, code: int = 0) -> Done:
        """Type a command, and see it end with that code."""
        done = run(*words, env=self.env)
        assert done.code == code, f"{words}: {done.code}\n{done.out}{done.err}"
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """Type a command with --json, and return what it shows."""
        return self.types(*words, "--json", code=code).json


def comes_in(person: Person, arn: str) -> None:
    """Wait until a version that was registered in AWS is known to the portal."""
    eventually(lambda: person.json("version", "list", "--arn", arn), "the version by event", seconds=20)


def question(arn: str, stage: str) -> list[str]:
    """Return what is asked of the gate: whether it may run at that stage, in the stage's account."""
    return ["--arn", arn, "--stage", stage, "--account", ACCOUNTS[stage]]
