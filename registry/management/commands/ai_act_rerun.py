"""Say which use cases an edition of the AI Act changes; changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.actors import Actor
from portal.core.errors import NotFound
from registry import ai_act
from registry.selectors import classifications

ACTOR = Actor.system("command line")


class Command(BaseCommand):
    """Read the answers of every confirmed classification again under an edition."""

    help = "List the use cases whose class, duties or open questions differ under an edition of the AI Act."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the edition."""
        parser.add_argument("edition", nargs="?", default=ai_act.current().id)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an edition there is not."""
        try:
            edition = classifications.edition(options["edition"])
        except NotFound as refusal:
            known = ", ".join(found.id for found in ai_act.editions())
            raise CommandError(f"{refusal.detail} There are {known}.") from refusal
        changes = classifications.rerun(ACTOR, edition)
        for change in changes:
            self.stdout.write(self._line(change))
        by_hand = classifications.by_hand(ACTOR)
        self.stdout.write(f"{len(changes)} use cases change by {edition.id}; {by_hand} were classified by hand.")

    @staticmethod
    def _line(change: classifications.Change) -> str:
        parts = [f"{change.use_case.public_id} {change.class_before} -> {change.class_after}"]
        parts += [f"{duty.article}: {duty.before or 'no duty'} -> {duty.after or 'no duty'}" for duty in change.duties]
        parts += [f"asks {missing.article}: {missing.question}" for missing in change.unanswered]
        parts += [f"now also {flag.label} ({flag.article})" for flag in change.flags_gained]
        parts += [f"no longer {label}" for label in change.flags_lost]
        return "\n  ".join(parts)
