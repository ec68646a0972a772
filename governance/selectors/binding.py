"""What exactly a decision is about: the content, the digest over it, and the difference, field by field.

DOMAIN section 6: artifact URLs and ETags, image digests, metrics and card content, risk class, evidence hashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import Stage
from registry.models import ModelVersion, RunReading, UseCase
from registry.services.digests import canonical, digest
from registry.services.runs import content_of

from ..choices import RequestState
from ..models import ApprovalRequest
from .gathered import Gathered, gather

# The edition of the content below. What was decided under another one is compared field by field, never by digest.
EDITION = 2

# Parts that grow on the way up: what is added to them says nothing against what was approved before.
GROWING = frozenset({"evidence", "documents"})
Subject = UseCase | ModelVersion


@dataclass(frozen=True)
class FieldDifference:
    """One field that is not what it was; None on a side where it is absent."""

    field: str
    before: Any
    after: Any


def decided_content(subject: Subject, stage: Stage, known: Gathered | None = None) -> dict[str, Any]:
    """Return everything a decision about a subject at a stage is bound to, as JSON.

    A version's validation metrics are those of this stage: results of another stage do not bind here. What the
    portal's own write-back changes in SageMaker is left out, and so is what comes in while it runs. `known` is what was
    read before.
    """
    known = known or gather([subject])
    proofs: dict[str, Any] = {f"{row.kind} {row.public_id}": row.fingerprint for row in known.evidence_of(subject)}
    if isinstance(subject, ModelVersion):
        proofs |= run_proof(known.reading_of(subject))
        return {
            "edition": EDITION,
            "containers": [
                {key: container.get(key) for key in ("image", "image_digest", "model_data_url", "model_data_etag")}
                for container in subject.containers
            ],
            "metrics": subject.metric_sources,
            "drift_baselines": subject.drift_baselines,
            "metadata": subject.metadata,
            "card": subject.card,
            "source_uri": subject.source_uri,
            "risk_rating": subject.risk_rating,
            "use_cases": {use_case.public_id: use_case.risk_class for use_case in subject.use_cases.all()},
            "validation_metrics": _validation_metrics(known, subject, stage),
            "evidence": proofs,
        }
    return {
        "edition": EDITION,
        "name": subject.name,
        "description": subject.description,
        "intended_purpose": subject.intended_purpose,
        "business_owner": subject.business_owner,
        "risk_class": subject.risk_class,
        "documents": {document.kind: document.text for document in known.documents_of(subject)},
        "evidence": proofs,
    }


def run_proof(reading: RunReading | None) -> dict[str, Any]:
    """Return what was read of the MLflow run a version comes from, as evidence under the run's name.

    Like other evidence: one that is named later takes nothing back, one that says something else or is gone does.
    """
    if reading is None:
        return {}
    run = reading.run
    return {f"mlflow_run {run.run_id}": {**content_of(reading), "tracking_server": run.server_id}}


def digest_of(subject: Subject, stage: Stage, known: Gathered | None = None) -> str:
    """Return the digest of `decided_content`."""
    return digest(decided_content(subject, stage, known))


def digest_against(subject: Subject, stage: Stage, approved: str) -> str:
    """Return the digest of the content now, without the evidence and documents added since the approval `approved`.

    It equals `approved` as long as nothing of what was approved is gone or another: a report that is attached later,
    for the next stage, takes nothing back. An open request is compared by `digest_of`, with everything.
    """

    def bound() -> Mapping[str, Any] | None:
        return (
            ApprovalRequest.objects.about(subject)
            .filter(stage=stage, digest=approved, state=RequestState.APPROVED)
            .values_list("facts", flat=True)
            .first()
        )

    return digest_bound(decided_content(subject, stage), approved, bound)


def digest_bound(content: dict[str, Any], approved: str, bound: Callable[[], Mapping[str, Any] | None]) -> str:
    """Return what `digest_against` would of a content; `bound` gives what was approved, and is asked when it matters.

    Of what was approved only the names in its growing parts are looked at.
    """
    found = digest(content)
    if not approved or found == approved or (approved_facts := bound()) is None:
        return found
    growing = {
        part: {name: value for name, value in content[part].items() if name in (approved_facts.get(part) or {})}
        for part in GROWING.intersection(content)
    }
    return digest({**content, **growing})


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldDifference]:
    """Return every leaf in which two contents differ, by its dotted path, in the order of the paths."""
    old, new = _leaves(before), _leaves(after)
    return [
        FieldDifference(path, old.get(path), new.get(path))
        for path in sorted({*old, *new})
        if canonical(old.get(path)) != canonical(new.get(path)) or (path in old) != (path in new)
    ]


def moved_since(request: ApprovalRequest) -> list[FieldDifference]:
    """Return what of a request's subject is no longer as it was when the request was made."""
    return difference(request.facts, decided_content(request.subject, Stage(request.stage)))


def _validation_metrics(known: Gathered, version: ModelVersion, stage: Stage) -> dict[str, Any]:
    return {
        record.account.account_id if record.account else "": record.validation_metrics
        for record in known.records_of(version)
        if record.stage == stage and record.validation_metrics is not None
    }


def _leaves(content: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten JSON; an empty object or list is a leaf of its own, so that its disappearing shows."""
    found: dict[str, Any] = {}
    waiting = [(_name(key), value) for key, value in content.items()]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping) and value:
            waiting += [(f"{path}.{_name(key)}", item) for key, item in value.items()]
        elif isinstance(value, list) and value:
            waiting += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            found[path] = value
    return found


def _name(key: str) -> str:
    """Return a key as part of a path; one that could be read as more than itself is quoted."""
    return key if re.fullmatch(r"[^\s.\[\]\"][^.\[\]\"]*", key) else json.dumps(key, ensure_ascii=False)
