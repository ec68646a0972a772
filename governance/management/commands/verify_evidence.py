"""Checks that all evidence is still what was attached: `manage.py verify_evidence`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.services import evidence_checks
from portal.core.actors import Actor
from portal.core.errors import Unavailable


class Command(BaseCommand):
    """Read every stored file and ask S3 about every pinned object; exit 1 naming what differs."""

    help = "Compare all evidence with what was attached; exits 1 and names what is altered, lost or cannot be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="Also remove stored files older than a day that no evidence stands for.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        total, wrong = 0, 0
        for found in evidence_checks.check_all(actor=Actor.system("verify_evidence")):
            total += 1
            if found.problem:
                wrong += 1
                self.stderr.write(f"{found.row.public_id}: {found.problem}")
        self.stdout.write(f"Checked {total} pieces of evidence.")
        try:
            if options["remove_orphans"]:
                self.stdout.write(f"Removed {len(evidence_checks.remove_orphans())} files without evidence.")
            else:
                self.stdout.write(f"{sum(1 for _ in evidence_checks.orphans())} stored files belong to no evidence.")
        except Unavailable as error:
            raise CommandError(error.detail) from error
        if wrong:
            raise CommandError(f"{wrong} of them cannot be relied on.")
        self.stdout.write("All of it is what was attached.")
