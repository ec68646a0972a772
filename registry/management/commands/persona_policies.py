"""Write the IAM policies of the personas for an account; changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound
from registry.selectors import operations, personas

ACTOR = Actor.system("command line")


class Command(BaseCommand):
    """The least that data scientists, ML engineers, governance officers and SageMaker's jobs need in one account."""

    help = "Write the IAM policies of the personas for an account, to the terminal or into a directory."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the account, the roles models run as, and where to write."""
        parser.add_argument("account_id", help="Twelve digits.")
        parser.add_argument("--execution-roles", default="", help="Names of the roles models run as, by commas.")
        parser.add_argument("--to", type=Path, help="A directory: each policy becomes a file of it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an account there is not, and for names that are none."""
        try:
            account = operations.account(ACTOR, options["account_id"])
            found = personas.persona_policies(ACTOR, account, options["execution_roles"])
        except NotFound as refusal:
            raise CommandError(f"There is no account {options['account_id']}.") from refusal
        except InvalidInput as refusal:
            raise CommandError(" ".join(text for texts in refusal.errors.values() for text in texts)) from refusal
        if options["to"] is None:
            told = {one.persona.value: list(one.documents) for one in found}
            self.stdout.write(json.dumps(told, indent=2))
            return
        options["to"].mkdir(parents=True, exist_ok=True)
        for one in found:
            for number, text in enumerate(one.texts, start=1):
                path = options["to"] / f"{one.persona.value}-{account.account_id}-{number}.json"
                path.write_text(f"{text}\n")
                self.stdout.write(str(path))
