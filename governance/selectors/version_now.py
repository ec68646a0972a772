"""One model version with everything its detail says, read by one statement: what a pipeline asks most often.

The row becomes a `ModelVersion` and the frozen facts that rules look at, so tier, requirements and agreement are worked
out by the same functions as everywhere else. What few versions have - a request that waits, a change made outside, an
MLflow run - is only noticed here and read where it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models

from portal.core.actors import Actor
from portal.core.prepared import array, fetch_one
from portal.core.vocabulary import RiskClass, Stage
from registry.choices import SyncKind, SyncState
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase
from registry.querysets import reach_of_versions
from registry.selectors.version_rows import SERVES, Row, Served

from ..choices import OutboxKind, OutboxState, PolicyState
from ..lifecycle import RequestState
from ..models import Evidence, Override, PolicyVersion, StageRecord
from ..policies.facts import Check, Requirements
from ..policies.out_of_band import Facts, Judgement, Said, Word, judge
from . import out_of_band
from . import policy as policies
from .gathered import Gathered, readings_of
from .overrides import as_fact

M = TypeVar("M", bound=models.Model)

_OF_VERSION = tuple(field.attname for field in ModelVersion._meta.concrete_fields if field.name != "described")
_JSON = frozenset({"containers", "metric_sources", "drift_baselines", "metadata", "card"})
_POLICY = ("id", "number", "state", "model_path", "revision", "published_at")
# Paths of a version's plain row, and where they come from.
_BESIDE = {
    "group__name": "g.name",
    "group__project__key": "p.key",
    "group__project__line_of_business__name": "b.name",
    "group__owner__username": "o.username",
    "group__owner__first_name": "o.first_name",
    "group__owner__last_name": "o.last_name",
    "group__owner__display_name": "o.display_name",
    "registered_by__username": "r.username",
}
_STANDING = ", ".join(f"'{status}'" for status in policies.STANDING)
_STATEMENT = f"""
SELECT g.project_id,
  (SELECT json_agg(json_build_array(u.id, u.number, u.risk_class) ORDER BY u.number)
     FROM registry_versionusecase l JOIN registry_usecase u ON u.id = l.use_case_id WHERE l.version_id = v.id),
  (SELECT ROW_TO_JSON(n) FROM (SELECT {", ".join(_POLICY)} FROM governance_policyversion
     WHERE state = '{PolicyState.PUBLISHED.value}' ORDER BY number DESC LIMIT 1) n),
  EXISTS (SELECT FROM governance_approvalrequest q
           WHERE q.version_id = v.id AND q.stage = v.stage AND q.state = '{RequestState.OPEN.value}'),
  EXISTS (SELECT FROM governance_outsidechange c WHERE c.version_id = v.id),
  EXISTS (SELECT FROM registry_versionrun n WHERE n.version_id = v.id AND n.detached_at IS NULL),
  (SELECT json_build_array(m.payload -> 'approval_status', m.payload -> 'stage', m.payload -> 'stage_status',
                           m.created_at, m.delivered_at, m.state)
     FROM governance_outboxmessage m WHERE m.version_id = v.id AND m.kind = '{OutboxKind.WRITE_BACK.value}'
    ORDER BY m.id DESC LIMIT 1),
  (SELECT s.started_at FROM registry_syncrun s WHERE s.account_id = g.account_id AND s.region = g.region
      AND s.kind = '{SyncKind.FULL.value}' AND s.state = '{SyncState.SUCCEEDED.value}'
    ORDER BY s.started_at DESC LIMIT 1),
  (SELECT json_agg(json_build_array(d.stage, d.outdated_at)) FROM governance_stagerecord d
    WHERE d.version_id = v.id AND d.outdated_at IS NOT NULL AND d.status IN ({_STANDING})),
  {", ".join(_BESIDE.values())}, {", ".join(f"v.{name}" for name in _OF_VERSION)}
FROM registry_modelversion v JOIN registry_modelgroup g ON g.id = v.group_id
LEFT JOIN registry_project p ON p.id = g.project_id
LEFT JOIN registry_lineofbusiness b ON b.id = p.line_of_business_id
LEFT JOIN registry_user o ON o.id = g.owner_id
LEFT JOIN registry_user r ON r.id = v.registered_by_id
WHERE v.id = %(id)s::bigint
  AND (%(everything)s::boolean OR g.project_id = ANY (%(projects)s::bigint[]) OR g.id = ANY (%(groups)s::bigint[]))
"""  # noqa: S608 - of constants alone
# What checks look at, for the versions whose stage asks for something: as models that hold these columns and no others.
_RECORD = (
    "id", "version_id", "stage", "account_id", "status", "validation_metrics", "validation_source",
    "validation_captured_at", "monitoring_metrics", "monitoring_endpoint", "monitoring_captured_at",
)  # fmt: skip
_EVIDENCE = ("id", "version_id", "kind", "title", "sha256")
_OVERRIDE = ("id", "check_key", "expires_at")
_TIMES = frozenset({"validation_captured_at", "monitoring_captured_at", "expires_at"})
_SHOWS = f"""
SELECT
  (SELECT json_agg(json_build_array(ROW_TO_JSON(x), a.alias) ORDER BY x.id)
     FROM (SELECT {", ".join(_RECORD)} FROM governance_stagerecord WHERE version_id = %(id)s::bigint) x
     LEFT JOIN registry_awsaccount a ON a.id = x.account_id),
  (SELECT json_agg(ROW_TO_JSON(x) ORDER BY x.id)
     FROM (SELECT {", ".join(_EVIDENCE)} FROM governance_evidence
            WHERE version_id = %(id)s::bigint AND superseded_at IS NULL AND withdrawn_at IS NULL) x),
  (SELECT json_agg(ROW_TO_JSON(x) ORDER BY x.id)
     FROM (SELECT {", ".join(_OVERRIDE)} FROM governance_override
            WHERE version_id = %(id)s::bigint AND stage = %(stage)s AND revoked_at IS NULL) x)
"""  # noqa: S608 - of constants alone


@dataclass(frozen=True)
class VersionNow:
    """A version as its detail shows it.

    `row` is what `version_rows` reads plain names from; `policy` the one in force, without its rules. The flags tell of
    what is not read here.
    """

    version: ModelVersion
    row: Row
    policy: PolicyVersion
    facts: Facts
    has_open_request: bool
    has_outside_changes: bool
    has_run: bool

    @property
    def judgement(self) -> Judgement:
        """How what SageMaker says stands to the portal's word; who changed it is read only when somebody did."""
        found = judge(self.facts)
        return out_of_band.judgement_of(self.version) if found.is_outside else found


def version_now(actor: Actor, pk: int) -> VersionNow | None:
    """Return a version that the actor sees, None for one that is hidden or not there."""
    reach = reach_of_versions(actor)
    found = fetch_one(
        _STATEMENT,
        {
            "id": str(pk),
            "everything": "true" if reach is None else "false",
            "projects": array(reach.projects if reach else ()),
            "groups": array(reach.shown if reach else ()),
        },
    )
    if found is None:
        return None
    project_id, serves, policy, is_open, has_changes, has_run, word, listed_at, outdated = found[:9]
    beside, values = found[9 : 9 + len(_BESIDE)], list(found[9 + len(_BESIDE) :])
    for place, name in enumerate(_OF_VERSION):
        if name in _JSON and values[place] is not None:
            values[place] = json.loads(values[place])
    version = ModelVersion.from_db(connection.alias, _OF_VERSION, values)
    row = dict(zip((*_BESIDE, *_OF_VERSION), (*beside, *values), strict=True))
    row["pk"] = version.pk
    cases = [UseCase(id=key, number=number, risk_class=risk_class) for key, number, risk_class in serves or ()]
    row[SERVES] = tuple(Served(case.number, case.public_id, RiskClass(case.risk_class)) for case in cases)
    group = (version.group_id, row["group__name"], project_id)
    version.group = ModelGroup.from_db(connection.alias, ("id", "name", "project_id"), group)
    known = UseCase.objects.none()
    # As `prefetch_related` leaves it.
    known._result_cache = cases  # noqa: SLF001
    version._prefetched_objects_cache = {"use_cases": known}  # type: ignore[attr-defined]  # noqa: SLF001
    return VersionNow(
        version=version,
        row=row,
        policy=PolicyVersion(**{**policy, "published_at": _moment(policy["published_at"])}),
        facts=_facts(version, word, listed_at, outdated or ()),
        has_open_request=is_open,
        has_outside_changes=has_changes,
        has_run=has_run,
    )


def checks_now(found: VersionNow, stage: Stage, needs: Requirements) -> tuple[Check, ...]:
    """Return how a version stands against what a stage needs, as `policy.checks` does."""
    version = found.version
    if not needs.has_checks:
        return ()
    row = fetch_one(_SHOWS, {"id": str(version.pk), "stage": stage.value})
    assert row is not None
    records, evidence, overrides = row
    known = Gathered(
        records={version.pk: [_record(*one) for one in records or ()]},
        documents={},
        proofs={(ModelVersion, version.pk): [_made(Evidence, one) for one in evidence or ()]},
        readings=readings_of([version]),
    )
    set_aside = [as_fact(_made(Override, one)) for one in overrides or ()]
    return policies.checks(version, stage, needs, set_aside, known=known)


def _record(row: Mapping[str, Any], alias: str | None) -> StageRecord:
    made = _made(StageRecord, row)
    made.account = None if alias is None else AwsAccount(id=made.account_id, alias=alias)
    return made


def _made(model: type[M], row: Mapping[str, Any]) -> M:
    names = [field.attname for field in model._meta.concrete_fields if field.attname in row]
    return model.from_db(
        connection.alias, names, [_moment(row[name]) if name in _TIMES else row[name] for name in names]
    )


def _facts(version: ModelVersion, word: Sequence[Any] | None, listed_at: Any, outdated: Sequence[Any]) -> Facts:
    stages = {stage: _moment(at) for stage, at in outdated}
    return Facts(
        name=version.name,
        aws=Said(version.aws_approval_status, version.aws_stage, version.aws_stage_status),
        modified_at=version.aws_modified_at,
        read_at=max(version.seen_at, listed_at) if listed_at else version.seen_at,
        word=None if word is None else _word(*word),
        missing_since=version.missing_since,
        outdated=tuple(stage for stage in Stage if stage in stages),
        outdated_at=max((at for at in stages.values() if at is not None), default=None),
    )


def _word(status: str, stage: str, stage_status: str, ordered_at: str, delivered_at: str | None, state: str) -> Word:
    ordered = _moment(ordered_at)
    assert ordered is not None
    return Word(
        said=Said(status, stage, stage_status),
        ordered_at=ordered,
        delivered_at=_moment(delivered_at) if state == OutboxState.DELIVERED else None,
        failed=state == OutboxState.FAILED,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
