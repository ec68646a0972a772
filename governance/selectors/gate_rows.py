"""What the gate reads: one statement, and so one moment, whatever else is written meanwhile.

The rows become models that hold the columns the rules look at and no others, so facts, digest and checks are worked out
by the same functions as everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from portal.core.actors import Actor
from portal.core.prepared import array, fetch_one
from registry.models import (
    AwsAccount,
    ModelGroup,
    ModelVersion,
    RunReading,
    TrackingServer,
    UseCase,
    VersionReport,
    VersionRun,
)
from registry.querysets import reach_of_use_cases, reach_of_versions

from ..models import Evidence, Override, PolicyVersion, SigningKey, StageRecord
from .reports import MEASURED

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Approved:
    """One approval that was given at the stage: `evidence` are the names of the evidence it was given for."""

    digest: str
    policy: int
    requirements: Mapping[str, Any]
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class GateRows:
    """Everything as it was at one moment; None is what the actor may not see, or what is not there.

    `use_cases` are those the version serves, `hidden` the keys of those the actor may not see; `records` are the
    version's at every stage, oldest first, `evidence` what counts for it, `reading` what its run says; `approved`
    are the approvals given at the stage asked about, oldest first, and `overrides` those of its checks there;
    `troubled` are the reports it points at that cannot be relied on.
    """

    version: ModelVersion | None
    account: AwsAccount | None
    policy: PolicyVersion | None
    key: SigningKey | None
    use_cases: Sequence[UseCase]
    hidden: frozenset[int]
    records: Sequence[StageRecord]
    approved: Sequence[Approved]
    overrides: Sequence[Override]
    evidence: Sequence[Evidence]
    reading: RunReading | None
    troubled: Sequence[VersionReport] = ()


def _object(alias: str, columns: Sequence[str]) -> str:
    pairs = ", ".join(f"'{name}', {alias}.{name}" for name in columns)
    return f"json_build_object({pairs})"


def _objects(alias: str, columns: Sequence[str]) -> str:
    return f"json_agg({_object(alias, columns)} ORDER BY {alias}.id)"


_ACCOUNT = ("id", "account_id", "alias", "purposes", "is_enabled")
_POLICY = ("id", "number", "state", "model_path", "revision", "published_at")
_KEY = ("id", "kid", "algorithm", "private_key", "state")
_VERSION = (
    "id", "arn", "group_id", "number", "aws_status", "missing_since", "stage", "status", "containers", "metric_sources",
    "drift_baselines", "metadata", "card", "card_status", "source_uri", "risk_rating", "run_reading_id",
)  # fmt: skip
_GROUP = ("id", "name", "project_id")
_USE_CASE = ("id", "number", "project_id", "stage", "risk_class")
_RECORD = (
    "id", "version_id", "stage", "account_id", "status", "validation_metrics", "validation_source",
    "validation_captured_at", "monitoring_metrics", "monitoring_endpoint", "monitoring_captured_at", "approved_digest",
    "outdated_at",
)  # fmt: skip
_RECORD_ACCOUNT = ("id", "account_id", "alias")
_OVERRIDE = ("id", "check_key", "reason", "granted_by_name", "expires_at", "revoked_at")
_EVIDENCE = ("id", "version_id", "kind", "title", "sha256", "s3_uri", "s3_version_id", "s3_etag")
_READING = (
    "id", "run_id", "read_at", "name", "status", "lifecycle_stage", "ended_at", "source_name", "git_commit",
    "artifact_uri", "params", "metrics", "measured_at",
)  # fmt: skip
_RUN = ("id", "version_id", "server_id", "run_id")
_SERVER = ("id", "name")
_REPORT = ("id", "version_id", "kind", "address", "problem", "sentence", "sha256", "expected_sha256")
_MEASURED = ", ".join(f"'{kind}'" for kind in MEASURED)
_TIMES = frozenset(
    {
        "published_at", "missing_since", "validation_captured_at", "monitoring_captured_at", "outdated_at",
        "expires_at", "revoked_at", "read_at", "ended_at", "measured_at",
    }
)  # fmt: skip

# Of versions with the ARN the newest that the actor may see counts: one that was deleted may have come back as
# something else. What was approved is compared name by name only where there is evidence to name.
_STATEMENT = f"""
SELECT
  (SELECT {_object("p", _POLICY)} FROM governance_policyversion p
    WHERE p.state = 'published' ORDER BY p.number DESC LIMIT 1),
  (SELECT {_object("a", _ACCOUNT)} FROM registry_awsaccount a WHERE a.account_id = %(account)s),
  (SELECT {_object("k", _KEY)} FROM governance_signingkey k WHERE k.state = 'active'),
  asked.version, asked.of_group,
  (SELECT {_objects("u", _USE_CASE)} FROM registry_versionusecase l JOIN registry_usecase u ON u.id = l.use_case_id
    WHERE l.version_id = asked.id),
  (SELECT json_agg(json_build_array({_object("r", _RECORD)},
                                    CASE WHEN c.id IS NOT NULL THEN {_object("c", _RECORD_ACCOUNT)} END) ORDER BY r.id)
     FROM governance_stagerecord r LEFT JOIN registry_awsaccount c ON c.id = r.account_id
    WHERE r.version_id = asked.id),
  (SELECT json_agg(json_build_array(q.digest, y.number, q.requirements,
                                    CASE WHEN asked.has_run OR proofs.rows IS NOT NULL
                                         THEN q.facts -> 'evidence' END) ORDER BY q.id)
     FROM governance_approvalrequest q JOIN governance_policyversion y ON y.id = q.policy_id
    WHERE q.version_id = asked.id AND q.stage = %(stage)s AND q.state = 'approved'),
  (SELECT {_objects("o", _OVERRIDE)} FROM governance_override o
    WHERE o.version_id = asked.id AND o.stage = %(stage)s),
  proofs.rows,
  CASE WHEN asked.has_run THEN
    (SELECT json_build_array({_object("i", _READING)}, {_object("n", _RUN)}, {_object("s", _SERVER)})
       FROM registry_modelversion v JOIN registry_runreading i ON i.id = v.run_reading_id
       JOIN registry_versionrun n ON n.id = i.run_id JOIN registry_trackingserver s ON s.id = n.server_id
      WHERE v.id = asked.id) END,
  (SELECT {_objects("t", _REPORT)} FROM registry_versionreport t
    WHERE t.version_id = asked.id AND t.replaced_at IS NULL AND t.kind IN ({_MEASURED})
      AND (t.problem <> '' OR (t.sha256 <> '' AND t.expected_sha256 <> '' AND t.sha256 <> t.expected_sha256)))
FROM (SELECT 1) one
LEFT JOIN LATERAL (
  SELECT v.id, v.run_reading_id IS NOT NULL AS has_run,
         {_object("v", _VERSION)} AS version, {_object("g", _GROUP)} AS of_group
    FROM registry_modelversion v JOIN registry_modelgroup g ON g.id = v.group_id
   WHERE v.arn = %(arn)s
     AND (%(everything)s::boolean OR g.project_id = ANY (%(projects)s::bigint[])
          OR g.id = ANY (%(groups)s::bigint[]))
   ORDER BY v.aws_created_at DESC, v.id DESC LIMIT 1
) asked ON true
LEFT JOIN LATERAL (
  SELECT {_objects("e", _EVIDENCE)} AS rows FROM governance_evidence e
   WHERE e.version_id = asked.id AND e.superseded_at IS NULL AND e.withdrawn_at IS NULL
) proofs ON true
"""  # noqa: S608 - of constants alone


def read_rows(actor: Actor, *, arn: str, stage: str, account_id: str) -> GateRows:
    """Return what there is about a question to the gate. A NUL character, which no row has, is for the caller."""
    versions, use_cases = reach_of_versions(actor), reach_of_use_cases(actor)
    row = fetch_one(
        _STATEMENT,
        {
            "arn": arn,
            "stage": stage,
            "account": account_id,
            "everything": "true" if versions is None else "false",
            "projects": array(versions.projects if versions else ()),
            "groups": array(versions.shown if versions else ()),
        },
    )
    assert row is not None
    policy, account, key, version, of_group, served, records, approved, overrides, evidence, reading, troubled = row
    serves = [_made(UseCase, one) for one in served or ()]
    found = _of_group(version, of_group, serves) if version else None
    return GateRows(
        version=found,
        account=_made(AwsAccount, account) if account else None,
        policy=_made(PolicyVersion, policy) if policy else None,
        key=_made(SigningKey, key) if key else None,
        use_cases=serves,
        hidden=frozenset(
            one.pk for one in serves if use_cases is not None and not use_cases.covers(one.project_id, one.pk)
        ),
        records=[_record(found, *one) for one in records or ()] if found else [],
        approved=[Approved(digest, number, needs, names or {}) for digest, number, needs, names in approved or ()],
        overrides=[_made(Override, one) for one in overrides or ()],
        evidence=[_made(Evidence, one) for one in evidence or ()],
        reading=_read(*reading) if reading else None,
        troubled=[_made(VersionReport, one) for one in troubled or ()],
    )


def _of_group(version: Mapping[str, Any], group: Mapping[str, Any], serves: list[UseCase]) -> ModelVersion:
    made = _made(ModelVersion, version)
    made.group = _made(ModelGroup, group)
    # As `prefetch_related` leaves it.
    rows = UseCase.objects.none()
    rows._result_cache = serves  # noqa: SLF001 - what a prefetch sets
    made._prefetched_objects_cache = {"use_cases": rows}  # type: ignore[attr-defined]  # noqa: SLF001
    return made


def _record(version: ModelVersion, row: Mapping[str, Any], account: Mapping[str, Any] | None) -> StageRecord:
    made = _made(StageRecord, row)
    made.version = version
    made.account = _made(AwsAccount, account) if account else None
    return made


def _read(row: Mapping[str, Any], run: Mapping[str, Any], server: Mapping[str, Any]) -> RunReading:
    made = _made(RunReading, row)
    made.run = _made(VersionRun, run)
    made.run.server = _made(TrackingServer, server)
    return made


def _made(model: type[M], row: Mapping[str, Any]) -> M:
    """Return a saved row of a model; a column that was not read is read when somebody looks at it."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in row]
    values = [
        row[name] if name not in _TIMES or row[name] is None else datetime.fromisoformat(row[name]) for name in names
    ]
    return model.from_db("default", names, values)
