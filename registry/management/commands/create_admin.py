"""Create the first ML admin: everything else he can do in the admin console."""

from __future__ import annotations

import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from registry.choices import Role
from registry.services import people

ACTOR = Actor.system("command line")


class Command(BaseCommand):
    """Create a person who holds the role ML admin everywhere."""

    help = "Create a person who is ML admin everywhere. The password is PORTAL_ADMIN_PASSWORD, or asked for."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the sign-in name and an e-mail address."""
        parser.add_argument("username")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a taken name or a weak password."""
        password = os.environ.get("PORTAL_ADMIN_PASSWORD") or getpass.getpass("Password: ")
        try:
            with operation(ACTOR, "create the first ML admin"):
                user = people.create_person(
                    actor=ACTOR,
                    username=options["username"],
                    display_name="",
                    email=options["email"],
                    password=password,
                )
                people.grant(actor=ACTOR, role=Role.ML_ADMIN, to=user)
        except InvalidInput as refusal:
            problems = "; ".join(text for texts in refusal.errors.values() for text in texts)
            raise CommandError(f"{refusal.detail} {problems}") from refusal
        self.stdout.write(f"{user.username} may now sign in and use the admin console.")
