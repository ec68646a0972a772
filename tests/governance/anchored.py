"""A committed trail with three anchors and an end that none covers yet, and what only its owner can do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from governance.models import AuditAnchor, AuditEvent
from governance.services.anchors import anchor
from registry.models import LineOfBusiness
from registry.services import organisation
from tests.factories.people import SYSTEM
from tests.refusals import sql


@dataclass
class Anchored:
    """Where the anchors lie, and the lines of business whose chains the tests tamper with."""

    folder: Path
    lines: list[LineOfBusiness] = field(default_factory=list)

    def file(self, number: int) -> Path:
        return self.folder / f"{number:010d}.jwt"

    def chain(self, index: int = 0) -> list[AuditEvent]:
        """The entries about one of the lines, oldest first."""
        chain = f"registry_lineofbusiness:{self.lines[index].pk}"
        return list(AuditEvent.objects.filter(chain=chain).order_by("sequence"))

    def grow(self, word: str) -> None:
        """Have a line begin and every line change once."""
        self.lines.append(organisation.create_line_of_business(actor=SYSTEM, name=f"Line {word}"))
        for line in self.lines:
            organisation.edit_line_of_business(actor=SYSTEM, line_of_business=line, name=f"{line.name} {word}")

    def anchored(self) -> AuditAnchor:
        made = anchor(actor=SYSTEM)
        assert made is not None
        return made


@contextmanager
def owner() -> Iterator[None]:
    """One transaction of somebody who owns the tables and switches the guards of the trail off."""
    tables = ("governance_auditevent", "governance_auditanchor")
    with transaction.atomic():
        for table in tables:
            sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            for name in ("append_only", "append_only_truncate"):
                sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        for name in ("audit", "not_truncated"):
            sql(f"ALTER TABLE governance_auditanchor ENABLE ALWAYS TRIGGER {name}")


REHASH = """
DO $$
DECLARE
  each record; last bytea;
BEGIN
  FOR each IN SELECT * FROM governance_auditevent WHERE chain = '{chain}' ORDER BY sequence LOOP
    UPDATE governance_auditevent e SET previous_hash = last,
           hash = governance_audit_digest(last, chain, at, transaction, database_user, actor, reason, correlation, "table",
                                          object_id, action, changes)
     WHERE sequence = each.sequence RETURNING e.hash INTO last;
  END LOOP;
END $$
"""


def rehash(chain: str) -> None:
    """Give every entry of a chain the hash its content asks for now."""
    sql(REHASH.format(chain=chain))
