"""Checks the audit trail: `manage.py verify_audit`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.selectors.audit import verify


class Command(BaseCommand):
    """Verify every row of the audit trail; exit 1 naming the first bad one."""

    help = "Check the hash chains of the audit trail; exits 1 and names the first bad row."

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify()
        self.stdout.write(f"Checked {found.rows} rows in {found.chains} chains.")
        if not found.is_intact:
            raise CommandError(found.problem)
        self.stdout.write("Every row is as it was written.")
