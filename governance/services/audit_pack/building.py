"""Building an audit pack: one snapshot of what is known, the evidence behind it, a document, a signed manifest.

A worker does it, outside of any transaction. Killed at any moment it leaves a row that says it is being built, and at
most a file under the name that row knows: whoever takes it up begins anew and replaces that file.
"""

from __future__ import annotations

import json
import logging
import time
import tomllib
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import DomainError, Unavailable
from portal.core.locks import Held, advisory_lock
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import NotificationKind

from ...choices import PackScope, PackState
from ...models import AuditPack
from ...selectors.gate import snapshot
from ...selectors.pack_scope import Wanted, describe
from .. import anchors, signing
from ..notifications import notify
from . import store, verify
from .archive import Archive
from .contents import Read, add_anchors, copy_evidence, read
from .document import Document
from .readme import readme
from .sheets import SHEETS, sheet
from .typeset import NotTypeset, typeset

logger = logging.getLogger(__name__)

TYPE = "audit-pack+jwt"
STEPS = (
    "Signing what the audit trail gained",
    "Reading records and entries as of one moment",
    "Copying the evidence",
    "Checking what was read",
    "Writing the document",
    "Signing and storing",
)
# A worker may be lost a few times for reasons of its own; a pack that loses it every time is not tried for ever.
MOST_ATTEMPTS = 3
_ANCHOR_PATIENCE = 5.0
_PROGRESS_SECONDS = 0.5
_ACTOR = Actor.system("packs")
_VERIFIER = Path(verify.__file__)


class WorkerLost(DomainError):
    """The lock was lost with its connection: somebody else may be building the pack already."""

    code = "worker-lost"
    title = "Somebody else took it up"


@dataclass(frozen=True)
class _Built:
    read: Read
    key_id: str
    problems: list[str]
    manifest: dict[str, Any]


def lock_name(pack_id: int) -> str:
    """Return the name of the lock that whoever builds a pack holds."""
    return f"audit pack {pack_id}"


def build(*, pack_id: int) -> AuditPack | None:
    """Build a pack that was asked for; None when it is done, gone, or being built by somebody else.

    What goes wrong is written on the pack, with what to do about it; nothing is raised for it.
    """
    with advisory_lock(lock_name(pack_id)) as held:
        pack = AuditPack.objects.select_related("requested_by", "use_case", "project", "line_of_business").get(
            pk=pack_id
        )
        if not held or not pack.is_open:
            return None
        if pack.attempts >= MOST_ATTEMPTS:
            return _fail(pack, f"The worker that built it was lost {pack.attempts} times. {_AGAIN}")
        store.discard(pack.storage_name)
        _write(
            pack,
            "build an audit pack",
            state=PackState.BUILDING,
            attempts=pack.attempts + 1,
            started_at=timezone.now(),
            step=0,
            storage_name="",
        )
        try:
            with TemporaryFile() as file:
                return _finish(pack, _Progress(pack, held), file)
        except WorkerLost as lost:
            logger.warning("Audit pack %s: %s", pack.public_id, lost)
            return None
        except DomainError as refusal:
            return _fail(pack, refusal.detail)
        except (DatabaseError, OSError, NotTypeset) as error:
            logger.exception("Audit pack %s could not be built", pack.public_id)
            return _fail(pack, f"It could not be built ({type(error).__name__}). {_AGAIN}")


_AGAIN = "Ask for it again; if it fails again, choose a shorter period or a single use case, or tell whoever runs this."


class _Progress:
    """Writes down how far the build has come: each step, and within one at most twice a second."""

    def __init__(self, pack: AuditPack, held: Held) -> None:
        self.pack, self.held, self.next_at = pack, held, 0.0

    def step(self, number: int) -> None:
        if not self.held:
            raise WorkerLost("Its connection to the database was lost.")
        self.next_at = 0.0
        AuditPack.objects.filter(pk=self.pack.pk).update(step=number, done=None, total=None)

    def of(self, done: int, total: int) -> None:
        if time.monotonic() >= self.next_at:
            AuditPack.objects.filter(pk=self.pack.pk).update(done=done, total=total)
            self.next_at = time.monotonic() + _PROGRESS_SECONDS


def wanted_of(pack: AuditPack) -> Wanted:
    """Return what a pack was asked about."""
    return Wanted(
        scope=PackScope(pack.scope),
        use_case_id=pack.use_case_id,
        project_id=pack.project_id,
        line_of_business_id=pack.line_of_business_id,
        starts_on=pack.starts_on,
        ends_on=pack.ends_on,
    )


def scope_words(pack: AuditPack) -> str:
    """Say what a pack is about."""
    names = {
        "use_case": str(pack.use_case or ""),
        "project": f"project {pack.project}" if pack.project else "",
        "line_of_business": f"line of business {pack.line_of_business}" if pack.line_of_business else "",
    }
    return describe(wanted_of(pack), names)


def _finish(pack: AuditPack, progress: _Progress, file: IO[bytes]) -> AuditPack:
    built = _pack(pack, progress, file)
    found = verify.check(file)
    problems = list(dict.fromkeys([*built.problems, *found.problems]))
    name = f"{pack.pk // 1000:03d}/{pack.pk:06d}-{pack.attempts}.zip"
    # The row knows the name before there is a file of it, so a file never lies there unknown.
    AuditPack.objects.filter(pk=pack.pk).update(storage_name=name)
    store.keep(file, name)
    if not progress.held:
        raise WorkerLost("Its connection to the database was lost.")
    now = timezone.now()
    with operation(_ACTOR, "build an audit pack"):
        _write(
            pack,
            "build an audit pack",
            state=PackState.READY,
            step=len(STEPS),
            done=None,
            total=None,
            finished_at=now,
            storage_name=name,
            sha256=_hash(file),
            size=file.seek(0, 2),
            as_of_entry=built.read.moment.entry,
            as_of_at=built.read.moment.at,
            key_id=built.key_id,
            contents=built.manifest["counts"],
            left_out=built.read.left_out,
            is_sound=not problems,
            verdict="\n".join(problems),
            expires_at=now + timedelta(days=settings.PORTAL_PACK_DAYS),
        )
        text = f"{scope_words(pack)}. " + ("Not everything in it holds: see its page." if problems else "It is sound.")
        _tell(pack, "ready", f"{pack.public_id} is ready", text)
    return pack


def _pack(pack: AuditPack, progress: _Progress, file: IO[bytes]) -> _Built:
    actor = pack.requested_by.actor
    require(actor, Act.BUILD_PACK, pack.scope_project_id)
    progress.step(1)
    missed = _anchor_now()
    key_id = signing.active_key().kid
    with closing(Archive(file)) as archive:
        return _fill(pack, actor, progress, key_id, missed, archive)


def _fill(pack: AuditPack, actor: Actor, progress: _Progress, key_id: str, missed: str, archive: Archive) -> _Built:
    scope = scope_words(pack)
    archive.put("README.txt", readme(pack, scope))
    archive.put("verify.py", _VERIFIER.read_bytes())
    archive.put(verify.KEYS, json.dumps(signing.jwks(), indent=1, sort_keys=True) + "\n")
    progress.step(2)
    with snapshot():
        found = read(actor, wanted_of(pack), archive)
    if missed:
        found.leave_out("A fresh anchor", missed)
    add_anchors(found, archive)
    for name in SHEETS:
        archive.put_pieces(f"data/{name}.csv", sheet(name, found))
    progress.step(3)
    copy_evidence(found, archive, progress.of)
    archive.close()
    progress.step(4)
    manifest = _manifest(pack, scope, found, key_id, archive)
    problems = verify.check_content(archive.file, manifest).problems
    progress.step(5)
    archive.go_on()
    document = Document(pack, scope, found).as_json(
        portal=f"Model Governance Portal {portal_version()} at {settings.PORTAL_PUBLIC_URL}",
        data_sha256=manifest["data_sha256"],
        key_id=key_id,
        problems=problems,
    )
    archive.put("pack.pdf", typeset(document, found.moment.at))
    progress.step(6)
    manifest["files"] = sorted(archive.files, key=lambda each: str(each["path"]))
    written = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    archive.put_unlisted(verify.MANIFEST, written)
    archive.put_unlisted(verify.SIGNATURE, _signed(pack, key_id, sha256(written).hexdigest()).encode())
    archive.close()
    return _Built(found, key_id, problems, manifest)


def _anchor_now() -> str:
    """Have everything up to now anchored, and say why that could not be done, "" when it was."""
    try:
        anchors.anchor(actor=_ACTOR, patience=_ANCHOR_PATIENCE)
    except DomainError as refusal:
        return refusal.detail
    return ""


def _manifest(pack: AuditPack, scope: str, found: Read, key_id: str, archive: Archive) -> dict[str, Any]:
    counts = found.chosen.counts()
    counts |= {"entries": len(found.sequences), "files": sum(each["path"] is not None for each in found.evidence)}
    return {
        "format": verify.FORMAT,
        "pack": pack.public_id,
        "portal": {"version": portal_version(), "url": settings.PORTAL_PUBLIC_URL},
        "scope": {
            "kind": pack.scope,
            "words": scope,
            "use_case": pack.use_case.public_id if pack.use_case else None,
            "from": str(pack.starts_on) if pack.starts_on else None,
            "to": str(pack.ends_on) if pack.ends_on else None,
            "project": pack.project.key if pack.project else None,
            "line_of_business": pack.line_of_business.name if pack.line_of_business else None,
        },
        "requested_by": pack.requested_by.username,
        "requested_at": pack.requested_at.isoformat(),
        "as_of": {"entry": found.moment.entry, "at": found.moment.at.isoformat()},
        "audit_trail": found.verified,
        "key_id": key_id,
        "data_sha256": archive.data_hash(),
        "counts": counts,
        "chain": {
            "entries": len(found.sequences),
            "chains": len(found.heads),
            "anchors": [each.number for each in found.anchors],
            "anchors_with_hashes": found.anchors_with_hashes,
        },
        "evidence": found.evidence,
        "left_out": found.left_out,
        "files": list(archive.files),
    }


def _signed(pack: AuditPack, key_id: str, manifest_sha256: str) -> str:
    """Sign the manifest. Raises Unavailable when the key was rotated since the pack was begun."""
    claims = {
        "pack": pack.public_id,
        "manifest_sha256": manifest_sha256,
        "iat": int(timezone.now().timestamp()),
        "iss": settings.PORTAL_PUBLIC_URL,
    }
    token = signing.sign(claims, typ=TYPE)
    if signing.active_key().kid != key_id:
        raise Unavailable("The signing key was rotated while the pack was built. Ask for it again.")
    return token


def _hash(file: IO[bytes]) -> str:
    file.seek(0)
    found = sha256()
    while piece := file.read(store.PIECE):
        found.update(piece)
    return found.hexdigest()


def _fail(pack: AuditPack, problem: str) -> AuditPack:
    """Write down why there is no pack, and tell whoever waits for it."""
    with operation(_ACTOR, "build an audit pack"):
        _write(pack, "build an audit pack", state=PackState.FAILED, finished_at=timezone.now(), problem=problem)
        _tell(pack, "failed", f"{pack.public_id} could not be built", problem)
    return pack


def _tell(pack: AuditPack, what: str, title: str, text: str) -> None:
    notify(
        kind=NotificationKind.PACK_READY,
        person_ids=[pack.requested_by_id],
        key=f"pack:{pack.pk}:{what}",
        title=title,
        text=text,
        path=f"/audit-packs/{pack.public_id}/",
        about=pack,
    )


def _write(pack: AuditPack, reason: str, **values: Any) -> None:
    for name, value in values.items():
        setattr(pack, name, value)
    with operation(_ACTOR, reason):
        pack.save(update_fields=list(values))


def portal_version() -> str:
    """Return the version of the portal that builds the pack."""
    try:
        return version("model-governance-portal")
    except PackageNotFoundError:
        project = settings.BASE_DIR / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"]) if project.exists() else "unknown"
