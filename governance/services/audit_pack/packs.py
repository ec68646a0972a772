"""Asking for an audit pack, taking it away, and having it gone again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO, Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock, hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require, require_anywhere
from registry.models import LineOfBusiness, Project, UseCase

from ...choices import EvidenceSource, PackScope, PackState
from ...models import AuditPack, AuditPackDownload, Evidence
from ...selectors import pack_records, pack_scope
from ...selectors.gate import snapshot
from ...selectors.pack_scope import Wanted
from . import store
from .building import lock_name
from .contents import MOST_ENTRIES, MOST_ROWS, refuse_too_much

logger = logging.getLogger(__name__)

TASK = "governance.build_pack"
_LOCK = "audit packs"
_OPEN = (PackState.WAITING, PackState.BUILDING)
# A pack that is not taken up for so long was never sent to a worker, or its worker is gone.
_PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True)
class Preview:
    """What a pack would hold: rows of each part, entries of the trail, bytes of evidence that would be copied.

    `hidden_versions` serve the use case and are not the asker's to see; `refusal` says why it cannot be built, "" when
    it can. Evidence beyond `evidence_limit` would be named instead of copied.
    """

    counts: dict[str, int]
    entries: int
    files: int
    evidence_bytes: int
    evidence_limit: int
    hidden_versions: int
    refusal: str

    @property
    def exceeds_evidence(self) -> bool:
        """Whether not all of the evidence fits."""
        return self.evidence_bytes > self.evidence_limit


def request_pack(*, actor: Actor, wanted: Wanted) -> AuditPack:
    """Have a worker build a pack; returns the row to watch. The same pack that is still to come is returned again.

    Raises Forbidden, NotFound for a use case, project or line of business that is not there to be seen, InvalidInput
    naming the fields, contents.PackTooLarge.
    """
    wanted = _checked(actor, wanted)
    found = preview(actor=actor, wanted=wanted)
    if found.refusal:
        refuse_too_much(sum(found.counts.values()), found.entries)
    assert actor.user_id is not None
    with operation(actor, "ask for an audit pack"):
        hold_until_commit(_LOCK)
        values: dict[str, Any] = {
            "scope": wanted.scope,
            "use_case_id": wanted.use_case_id,
            "project_id": wanted.project_id,
            "line_of_business_id": wanted.line_of_business_id,
            "starts_on": wanted.starts_on,
            "ends_on": wanted.ends_on,
            "requested_by_id": actor.user_id,
        }
        pack = AuditPack.objects.filter(**values, state__in=_OPEN).first() or AuditPack.objects.create(**values)
        enqueue_on_commit(TASK, pack_id=pack.pk)
    return pack


def preview(*, actor: Actor, wanted: Wanted) -> Preview:
    """Return what a pack would hold now, of what the actor may see.

    Raises as `request_pack` does; that it would be too large is only said.
    """
    wanted = _checked(actor, wanted)
    with snapshot():
        chosen = pack_scope.choose(actor, wanted)
        entries = pack_records.count_entries(chosen, wanted) if chosen.rows <= MOST_ROWS else 0
        copied = Evidence.objects.filter(pk__in=chosen.ids["evidence"], source=EvidenceSource.UPLOAD)
        files, size = copied.count(), copied.aggregate(bytes=Sum("size"))["bytes"] or 0
    refusal = ""
    if chosen.rows > MOST_ROWS or entries > MOST_ENTRIES:
        refusal = "This is more than one pack may hold. Choose a shorter period, a project or a single use case."
    return Preview(
        counts=chosen.counts(),
        entries=entries,
        files=files,
        evidence_bytes=size,
        evidence_limit=int(settings.PORTAL_PACK_EVIDENCE_MAX_BYTES),
        hidden_versions=chosen.hidden_versions,
        refusal=refusal,
    )


def open_for_download(*, actor: Actor, pack_id: int) -> tuple[AuditPack, IO[bytes]]:
    """Return a pack with a copy of its file that is what was built; the caller closes it. Who took it is written down.

    Raises NotFound, Forbidden, WrongState for one that is not ready or gone, store.PackAltered, store.PackLost,
    Unavailable.
    """
    pack = access.get(AuditPack, actor, pk=pack_id)
    require_anywhere(actor, Act.SEE_AUDIT)
    if pack.state != PackState.READY or _is_over(pack):
        raise WrongState(_not_ready(pack))
    assert actor.user_id is not None
    file = store.verified_copy(pack)
    try:
        with operation(actor, "download an audit pack"):
            AuditPackDownload.objects.create(pack=pack, person_id=actor.user_id, person_name=actor.name)
    except BaseException:
        file.close()
        raise
    return pack, file


def remove(*, actor: Actor, pack_id: int) -> AuditPack:
    """Remove a pack's file for good; that there was one, and who took it, stays known.

    Raises NotFound, Forbidden, WrongState when there is no file, Unavailable when its store does not answer.
    """
    seen = access.get(AuditPack, actor, pk=pack_id)
    require(actor, Act.BUILD_PACK, seen.scope_project_id)
    with operation(actor, "remove an audit pack"):
        pack = AuditPack.objects.select_for_update().get(pk=seen.pk)
        if pack.state != PackState.READY:
            raise WrongState(_not_ready(pack))
        _gone(pack, PackState.REMOVED, actor.label)
    if not store.discard(pack.storage_name):
        logger.warning("The file of the removed %s is still stored; the sweep removes it.", pack.public_id)
    return pack


def sweep() -> list[int]:
    """Have workers take up the packs that wait for none, and remove the files of those that are over.

    Returns the packs handed out. A pack whose worker lives is left to it: he holds its lock.
    """
    _expire()
    waiting = AuditPack.objects.filter(state__in=_OPEN, requested_at__lt=timezone.now() - _PATIENCE).order_by("pk")
    handed = []
    for pk in waiting.values_list("pk", flat=True):
        with advisory_lock(lock_name(pk)) as held:
            is_free = bool(held)
        if is_free:
            enqueue_on_commit(TASK, pack_id=pk)
            handed.append(pk)
    return handed


def _expire() -> None:
    for pack in AuditPack.objects.filter(state=PackState.READY, expires_at__lte=timezone.now()):
        with operation(Actor.system("clock"), "expire an audit pack"):
            locked = AuditPack.objects.select_for_update().get(pk=pack.pk)
            if locked.state == PackState.READY:
                _gone(locked, PackState.EXPIRED, "")
    # A file whose removal failed is tried again while its row is young; a missing one is no failure.
    recent = timezone.now() - timedelta(days=2)
    gone = AuditPack.objects.filter(state__in=[PackState.EXPIRED, PackState.REMOVED], removed_at__gte=recent)
    for name in gone.values_list("storage_name", flat=True):
        store.discard(name)


def _gone(pack: AuditPack, state: PackState, by: str) -> None:
    pack.state, pack.removed_at, pack.removed_by = state, timezone.now(), by
    pack.save(update_fields=["state", "removed_at", "removed_by"])


def _is_over(pack: AuditPack) -> bool:
    return pack.expires_at is not None and pack.expires_at <= timezone.now()


def _not_ready(pack: AuditPack) -> str:
    if pack.state in _OPEN:
        return f"{pack.public_id} is still being built. Its page shows how far it has come."
    if pack.state == PackState.FAILED:
        return f"{pack.public_id} could not be built: {pack.problem}"
    return f"The file of {pack.public_id} is gone. Build a new pack; it will hold all that is known by then."


def _checked(actor: Actor, wanted: Wanted) -> Wanted:
    if wanted.scope == PackScope.USE_CASE:
        if wanted.use_case_id is None:
            raise _unusable("use_case", "Choose a use case.")
        use_case: UseCase = access.get(UseCase, actor, pk=wanted.use_case_id)
        require(actor, Act.BUILD_PACK, use_case.scope_project_id)
        return Wanted(scope=wanted.scope, use_case_id=use_case.pk)
    require_anywhere(actor, Act.BUILD_PACK)
    _days(wanted.starts_on, wanted.ends_on)
    if wanted.line_of_business_id is not None:
        access.get(LineOfBusiness, actor, pk=wanted.line_of_business_id)
    if wanted.project_id is not None:
        project: Project = access.get(Project, actor, pk=wanted.project_id)
        if wanted.line_of_business_id not in (None, project.line_of_business_id):
            raise _unusable("line_of_business", f"The project {project} belongs to another line of business.")
    # Who audits one project builds a period of that one; a line of business and the whole portal need the role for all.
    require(actor, Act.BUILD_PACK, wanted.project_id)
    return wanted


def _days(first: date | None, last: date | None) -> None:
    if first is None or last is None:
        raise InvalidInput(
            "Give the first and the last day.",
            errors={name: ["Give a day."] for name, day in (("starts_on", first), ("ends_on", last)) if day is None},
        )
    if first > last:
        raise _unusable("ends_on", "The last day is before the first one.")
    if first > timezone.now().date():
        raise _unusable("starts_on", "This day is still to come: nothing is known of it.")
    if last.year > 9000:
        raise _unusable("ends_on", "This day is too far away.")


def _unusable(name: str, text: str) -> InvalidInput:
    return InvalidInput(text, errors={name: [text]})
