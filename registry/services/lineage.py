"""Read the lineage of versions from SageMaker, and keep it: what is new, what changed, what is a day old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import Status

from ..aws import lineage as gateway
from ..aws.errors import AwsError, AwsThrottled, AwsUnavailable
from ..aws.session import AwsSession
from ..lineage import facts
from ..lineage.graph import LineageGraph
from ..models import AwsAccount, ModelVersion, VersionLineage
from . import digests

FRESH_FOR = timedelta(days=1)
RETRY_AFTER = timedelta(hours=1)
# So many versions in one pass: each costs some tens of calls, and the next pass goes on where this one ended.
MOST_VERSIONS = 40
GONE = "SageMaker no longer has lineage of this version; what is shown was read before."


class Counts(Protocol):
    """Where a pass counts what it took in."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


# Of those that waited equally long, people look first at what serves.
_SERVING_FIRST = Case(When(status=Status.DEPLOYED, then=0), default=1)


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the graphs that are due in the session's region, those waiting longest first, and keep them.

    A region where SageMaker keeps no lineage is no problem: there is nothing to read. Raises AwsError when the account
    cannot be asked at all; what concerns one version alone is a problem of the tally, and the rest goes on.
    """
    for version in due(account, session.account.region)[:MOST_VERSIONS]:
        try:
            graph = gateway.read(session, version.arn)
        except (AwsThrottled, AwsUnavailable):
            raise
        except AwsError as failure:
            if gateway.is_not_offered(failure):
                return
            tally.problems.append(f"{version.name}: {failure}")
            _failed(actor, version, str(failure))
            continue
        setattr(tally, word := take_in(actor=actor, version=version, graph=graph), getattr(tally, word) + 1)


def due(account: AwsAccount, region: str) -> QuerySet[ModelVersion]:
    """Return the versions of an account and region whose graph was never read, is older than the version, or a day old.

    One that could not be read is tried again an hour later.
    """
    now = timezone.now()
    stale = (
        Q(aws_lineage=None)
        | Q(aws_lineage__problem="", aws_lineage__tried_at__lte=now - FRESH_FOR)
        | Q(aws_lineage__of_modification__lt=F("aws_modified_at"))
        | (~Q(aws_lineage__problem="") & Q(aws_lineage__tried_at__lte=now - RETRY_AFTER))
    )
    return (
        ModelVersion.objects.present()
        .filter(stale, group__account=account, group__region=region)
        .select_related("group", "aws_lineage")
        .order_by(F("aws_lineage__tried_at").asc(nulls_first=True), _SERVING_FIRST, "-aws_created_at", "-pk")
    )


def take_in(*, actor: Actor, version: ModelVersion, graph: LineageGraph | None) -> str:
    """Keep what SageMaker says of a version's lineage; return the tally's word for it.

    None leaves what was read before, and says since when SageMaker has it no longer.
    """
    row, is_new = _row(version)
    now = timezone.now()
    row.tried_at, row.of_modification, row.problem = now, version.aws_modified_at, ""
    if graph is None:
        had = row.graph is not None
        row.read_at = row.read_at if had else now
        row.missing_since = (row.missing_since or now) if had else None
        row.problem = GONE if had else ""
        word = "missing" if had else "unchanged"
    else:
        kept = graph.as_json()
        digest = digests.digest(kept)
        word = "created" if row.graph is None else "unchanged" if digest == row.digest else "updated"
        if word != "unchanged":
            row.graph, row.digest = kept, digest
            row.facts = facts.as_json(facts.of_graph(graph))
            row.vertex_count, row.is_cut = len(graph.vertices), bool(graph.cut)
        row.read_at, row.missing_since = now, None
    _save(actor, row, is_new)
    return word


def _failed(actor: Actor, version: ModelVersion, problem: str) -> None:
    row, is_new = _row(version)
    row.tried_at, row.problem, row.of_modification = timezone.now(), problem, version.aws_modified_at
    _save(actor, row, is_new)


def _row(version: ModelVersion) -> tuple[VersionLineage, bool]:
    row = VersionLineage.objects.filter(version=version).first()
    return (row, False) if row is not None else (VersionLineage(version=version), True)


def _save(actor: Actor, row: VersionLineage, is_new: bool) -> None:
    with operation(actor, "read the lineage of a version"):
        row.save(force_insert=is_new)


def of_version(version: ModelVersion) -> VersionLineage | None:
    """Return what was read of a version's lineage; None while nobody looked."""
    found: VersionLineage | None = VersionLineage.objects.filter(version=version).first()
    return found


def as_export(version: ModelVersion, row: VersionLineage | None) -> dict[str, Any]:
    """Return the kept graph as people download it: with the version it is about and when it was read."""
    return {
        "version": version.name,
        "arn": version.arn,
        "account": version.group.account.account_id,
        "region": version.group.region,
        "read_at": row.read_at.isoformat() if row and row.read_at else None,
        "problem": row.problem if row else "",
        "facts": row.facts if row else {},
        "graph": row.graph if row else None,
    }
