"""What ran in production at a moment, where, for which use case, and on whose word.

A version is named for an account while its production record there is deployed, or approved and still to be deployed.
The words behind it are the decisions of the request it was approved by, the moves since, and who reported the
deployment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Prefetch, QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status, SubjectKind
from registry.choices import DeploymentState
from registry.models import Deployment

from ..choices import Verdict
from ..lifecycle import Verb
from ..models import ApprovalRequest, AuditEvent, Decision, StageEvent
from .as_of import past_row, stage_table_as_of
from .words import actor_words

IN_PRODUCTION = (Status.APPROVED, Status.DEPLOYED)
_BATCH = 500


@dataclass(frozen=True)
class Reported:
    """The last report of a deployment up to a moment: that it was in place, on whose word, behind which endpoint."""

    by: str
    at: datetime
    endpoint: str


@dataclass(frozen=True)
class Running:
    """One version in production at a moment, in one account and for one use case.

    `row` is its row of the stage table then. `request` is the one it stood approved by, and `approvals` those decisions
    on it that had been given; None when no request names it. `moves` are the ledger's entries of the record since its
    approval, oldest first. `reported` is None while nobody had reported the deployment.
    """

    row: Any
    request: ApprovalRequest | None
    approvals: tuple[Decision, ...]
    moves: tuple[StageEvent, ...]
    reported: Reported | None

    @property
    def is_deployed(self) -> bool:
        """Whether it was deployed, and not only approved to be."""
        return bool(self.row.model_status == Status.DEPLOYED)

    @property
    def approved_at(self) -> datetime | None:
        """When the approval it stood on moved its record."""
        return next((move.at for move in reversed(self.moves) if move.request_id_copy is not None), None)


def in_production(actor: Actor, moment: datetime) -> QuerySet[Any]:
    """Return the rows of the stage table that were in production at a moment, of what the actor may see today."""
    return stage_table_as_of(actor, moment).filter(model_stage=Stage.PRODUCTION, model_status__in=IN_PRODUCTION)


def on_whose_word(rows: Iterable[Any], moment: datetime) -> Iterator[Running]:
    """Yield rows of `in_production` with the words behind them; a fixed number of queries for some hundred rows."""
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        moves = _moves({row.pk for row in batch}, moment)
        named = {pk: _request_of(found) for pk, found in moves.items()}
        requests = _requests(set(named.values()), moment)
        reports = _reports({row.version_id for row in batch}, moment)
        for row in batch:
            request = requests.get(named.get(row.pk) or 0)
            yield Running(
                row=row,
                request=request,
                approvals=tuple(request.given_then) if request else (),  # type: ignore[attr-defined]  # prefetched
                moves=tuple(moves.get(row.pk, ())),
                reported=reports.get((row.version_id, row.account_id)),
            )


def _moves(records: Collection[int], moment: datetime) -> dict[int, list[StageEvent]]:
    """Return each record's moves from the approval it stood on."""
    events = StageEvent.objects.filter(
        kind=SubjectKind.MODEL_VERSION, record_id_copy__in=records, at__lte=moment
    ).order_by("pk")
    found: dict[int, list[StageEvent]] = defaultdict(list)
    for event in events:
        if event.verb == Verb.APPROVE:
            found[event.record_id_copy] = []
        found[event.record_id_copy].append(event)
    return found


def _request_of(moves: Sequence[StageEvent]) -> int | None:
    """The last approval counts: one that was renewed stands by its renewal."""
    return next((move.request_id_copy for move in reversed(moves) if move.request_id_copy is not None), None)


def _requests(pks: Collection[int | None], moment: datetime) -> dict[int, ApprovalRequest]:
    given = Decision.objects.filter(verdict=Verdict.APPROVE, decided_at__lte=moment).select_related(
        "decider", "on_behalf_of"
    )
    found = ApprovalRequest.objects.filter(pk__in=[pk for pk in pks if pk is not None])
    return (
        found.select_related("policy", "requester")
        .prefetch_related(Prefetch("decisions", given.order_by("pk"), to_attr="given_then"))
        .in_bulk()
    )


def _reports(versions: Collection[int], moment: datetime) -> dict[tuple[int, str], Reported]:
    """Return what had been reported of the versions' deployments to production, by version and account.

    A deployment row holds its last report only; the audit trail holds each, with who made it.
    """
    deployments = {
        f"registry_deployment:{pk}": (version, account)
        for pk, version, account in Deployment.objects.filter(version__in=versions, stage=Stage.PRODUCTION).values_list(
            "pk", "version_id", "account__account_id"
        )
    }
    endpoints: dict[str, str] = {}
    reported: dict[tuple[int, str], Reported] = {}
    events = AuditEvent.objects.filter(chain__in=list(deployments), at__lte=moment).order_by("sequence")
    for event in events:
        if event.action == "insert":
            continue
        endpoint = event.changes.get("endpoint")
        if isinstance(endpoint, list):
            endpoints[event.chain] = str(endpoint[1] or "")
        state = event.changes.get("state")
        if not isinstance(state, list):
            continue
        if state[1] == DeploymentState.ORDERED:  # ordered anew, as a rollback does: what was reported is over
            reported.pop(deployments[event.chain], None)
        elif state[1] == DeploymentState.DEPLOYED:
            reported[deployments[event.chain]] = Reported(
                by=actor_words(event.actor), at=event.at, endpoint=endpoints.get(event.chain, "")
            )
    return reported


COLUMNS = (
    "id", "use_case_id", "use_case_name", "model_group", "model_version", "model_package_arn", "model_owner",
    "model_project", "model_risk", "account", "model_status", "outdated_at", "approved_at", "request",
    "policy_version", "digest", "approvals", "moves", "endpoint", "reported_by", "reported_at",
)  # fmt: skip


def running_row(running: Running) -> dict[str, Any]:
    """Return what ran by COLUMNS, times as ISO text; absent is None."""
    row, request, reported = past_row(running.row), running.request, running.reported
    return {
        **{name: row[name] for name in COLUMNS if name in row},
        "outdated_at": _iso(running.row.outdated_at),
        "approved_at": _iso(running.approved_at),
        "request": request.public_id if request else None,
        "policy_version": request.policy.number if request else None,
        "digest": request.digest if request else None,
        "approvals": [
            {
                "decided_by": given.decider_name,
                "on_behalf_of": given.on_behalf_of.username if given.on_behalf_of else None,
                "role": given.role,
                "comment": given.comment,
                "decided_at": _iso(given.decided_at),
            }
            for given in running.approvals
        ],
        "moves": [
            {"verb": move.verb, "actor": move.actor, "at": _iso(move.at), "reason": move.reason}
            for move in running.moves
        ],
        "endpoint": (reported.endpoint or None) if reported else None,
        "reported_by": reported.by if reported else None,
        "reported_at": _iso(reported.at) if reported else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
