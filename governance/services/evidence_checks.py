"""Looking again at what is stored: whatever is given out is compared first, and everything once a day.

What is not what was attached is given to nobody, and stands as a finding until it is again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import DomainError, Unavailable, WrongState
from portal.core.operations import operation

from ..choices import EvidenceSource, FindingKind
from ..models import Evidence
from . import findings
from .evidence_store import (
    EvidenceAltered,
    EvidenceLost,
    discard,
    stored_at,
    stored_names,
    verified_copy,
    verify_stored,
)

# A file this young may belong to a row that is being written.
YOUNGEST_ORPHAN = timedelta(days=1)
_BATCH = 500


@dataclass(frozen=True)
class Checked:
    """What came of looking at one row: "" when it is what was attached, else what is wrong with it.

    `is_known` is False when its store did not answer: nothing is known then.
    """

    row: Evidence
    problem: str = ""
    is_known: bool = True


def open_for_download(*, actor: Actor, evidence_id: int) -> tuple[Evidence, IO[bytes]]:
    """Return a row with a copy of its file that is what was attached; the caller closes it.

    Raises NotFound, WrongState for an object in S3, EvidenceAltered and EvidenceLost (each leaves a finding),
    Unavailable.
    """
    row = access.get(Evidence, actor, pk=evidence_id)
    if row.source != EvidenceSource.UPLOAD:
        raise WrongState(f"{row.public_id} is an object in S3, which the portal does not keep: {row.s3_uri}")
    try:
        return row, verified_copy(row)
    except (EvidenceAltered, EvidenceLost) as wrong:
        _note(actor, row, wrong)
        raise


def check_one(*, actor: Actor, evidence_id: int) -> Evidence:
    """Compare what is stored, or what S3 says, with what was attached; a finding opens or closes accordingly.

    Raises NotFound, EvidenceAltered, EvidenceLost, Unavailable when nothing can be known now.
    """
    row = access.get(Evidence, actor, pk=evidence_id)
    try:
        verify_stored(row)
    except (EvidenceAltered, EvidenceLost) as wrong:
        _note(actor, row, wrong)
        raise
    with operation(actor, "check evidence"):
        findings.clear(FindingKind.EVIDENCE_ALTERED, row.subject, "It is again what was attached.", mark=row.public_id)
    return row


def check_all(*, actor: Actor, after: int = 0) -> Iterator[Checked]:
    """Check every piece of evidence behind a number, also what no longer counts: somebody may have decided on it."""
    numbers = Evidence.objects.visible_to(actor).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    for pk in numbers.iterator(_BATCH):
        row = Evidence.objects.select_related("use_case", "version__group__account", "account").get(pk=pk)
        try:
            check_one(actor=actor, evidence_id=pk)
        except Unavailable as error:
            yield Checked(row, error.detail, is_known=False)
        except (EvidenceAltered, EvidenceLost) as error:
            yield Checked(row, error.detail)
        else:
            yield Checked(row)


def orphans() -> Iterator[str]:
    """Yield the stored files that no row stands for and that are older than YOUNGEST_ORPHAN. Raises Unavailable.

    A crash between storing a file and writing its row leaves one; it does no harm.
    """
    before = timezone.now() - YOUNGEST_ORPHAN
    for name in stored_names():
        if not Evidence.objects.filter(storage_name=name).exists() and stored_at(name) < before:
            yield name


def remove_orphans() -> list[str]:
    """Remove the files of `orphans`; returns their names. Raises Unavailable."""
    removed = list(orphans())
    for name in removed:
        discard(name)
    return removed


def _note(actor: Actor, row: Evidence, wrong: DomainError) -> None:
    with operation(actor, "check evidence"):
        findings.observe(
            FindingKind.EVIDENCE_ALTERED,
            row.subject,
            wrong.detail,
            {"evidence": row.public_id, "problem": wrong.code, "attached": row.fingerprint},
            mark=row.public_id,
        )
