"""Sets up the role the portal runs as: `manage.py database_roles NAME`, as the owner of the tables."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.selectors.database_role import excessive_rights, role_name
from governance.services.database_roles import grant, statements
from portal.core.errors import InvalidInput


class Command(BaseCommand):
    """Give a role the rights the portal needs and no others, print how, or look at the role we are connected as."""

    help = (
        "As the owner of the tables, after each migration: give the role the portal runs as the rights it needs, and"
        " no others. With --check, as that role: exit with 1 when it could do more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the role, and what to do instead of granting."""
        parser.add_argument("role", nargs="?", help="the role the portal's processes connect as; it must exist")
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--sql", action="store_true", help="only print the statements")
        instead.add_argument("--check", action="store_true", help="only look, by default at the role of DATABASE_URL")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the role cannot be set up, or may do more than it needs."""
        role = options["role"]
        if options["check"]:
            self._check(role)
            return
        if not role:
            raise CommandError("Name the role that the portal's processes connect as.")
        if options["sql"]:
            self.stdout.write("".join(f"{statement};\n" for statement in statements(role)), ending="")
            return
        try:
            tables = grant(role)
        except InvalidInput as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{role} may do the portal's work in {tables} tables, and owns none of them.")

    def _check(self, role: str | None) -> None:
        try:
            excess = excessive_rights(role)
        except LookupError as error:
            raise CommandError(str(error)) from error
        if excess:
            raise CommandError(" ".join(excess))
        self.stdout.write(f"{role or role_name()} may do the portal's work and nothing else.")
