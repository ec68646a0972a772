"""Everything one version says of itself and is said to be, as named values in sections: what comparisons compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.models import Deployment, ModelVersion, RunReading, VersionReport
from registry.selectors import catalogue, training_view
from registry.selectors.card_view import flat, path_words

from ..models import Evidence, StageRecord
from ..policies.metrics import is_number
from . import reports
from .gathered import readings_of
from .training_sheet import hyperparameters, measured, trained
from .words import value_words

_HYPER_PARAMETERS = ("hyper_parameters", "user_provided_hyper_parameters")


class Title(StrEnum):
    """The sections, in the order in which they are read."""

    METRICS = "Validation metrics"
    REPORTS = "Bias and explainability"
    MONITORING = "Monitoring metrics"
    PARAMETERS = "Parameters"
    TRAINED = "Final metrics of the training job"
    TRAINING = "Training"
    CONTAINERS = "Containers and artifact"
    OWNERSHIP = "Use case, risk and ownership"
    METADATA = "Metadata"
    CARD = "Model card"
    EVIDENCE = "Evidence"
    POSITION = "Where it stands"

    @property
    def is_measured(self) -> bool:
        """Whether its numbers are measurements, that differ by so much and may be better or worse."""
        return self in (Title.METRICS, Title.REPORTS, Title.MONITORING, Title.TRAINED)

    @property
    def has_better(self) -> bool:
        """Whether of two of its numbers one may be the better; a weight or a bias is not better for being larger."""
        return self in (Title.METRICS, Title.MONITORING)


Sheet = Mapping[Title, Mapping[str, Any]]
# What a decision looks at: where two versions stand differs by itself, and each has evidence of its own.
CHANGING = tuple(title for title in Title if title not in (Title.MONITORING, Title.EVIDENCE, Title.POSITION))


def sheets_of(actor: Actor, versions: Sequence[ModelVersion]) -> list[Sheet]:
    """Return the sheet of each version, of what the actor may see of it; as many queries however many there are."""
    records: dict[int, list[StageRecord]] = defaultdict(list)
    for record in StageRecord.objects.filter(version__in=versions).select_related("account").order_by("pk"):
        records[record.version_id].append(record)
    proofs: dict[int | None, list[Evidence]] = defaultdict(list)
    for row in Evidence.objects.visible_to(actor).filter(version__in=versions).standing().order_by("pk"):
        proofs[row.version_id].append(row)
    use_cases, deployments = catalogue.served_by(actor, versions), catalogue.running_of(actor, versions)
    readings, jobs = readings_of(versions), training_view.beside(versions)
    files = reports.Reports([version.pk for version in versions if version.metric_sources])
    return [
        {
            # As for the rules of the policy: the run and SageMaker's statistics count where no report speaks.
            Title.METRICS: {
                **reports.numbers_of_quality(_files(files, version)),
                **_of_run(readings.get(version.pk)),
                **_latest(records[version.pk], "validation"),
            },
            Title.REPORTS: reports.numbers_of_reports(_files(files, version)),
            Title.MONITORING: _latest(records[version.pk], "monitoring"),
            # What SageMaker ran is surer than what the card or the run says was.
            Title.PARAMETERS: {
                **_ran(readings.get(version.pk)),
                **_parameters(version),
                **hyperparameters(jobs.get(version.pk)),
            },
            Title.TRAINED: measured(jobs.get(version.pk)),
            Title.TRAINING: trained(jobs.get(version.pk)),
            Title.CONTAINERS: _containers(version),
            Title.OWNERSHIP: {
                "Use case": ", ".join(map(str, use_cases[version.pk])) or None,
                "Class of the use case": ", ".join(
                    dict.fromkeys(str(value_words(one.risk_class)) for one in use_cases[version.pk])
                )
                or None,
                **_answers(version),
            },
            Title.METADATA: dict(version.metadata),
            Title.CARD: _card(version),
            Title.EVIDENCE: _evidence(proofs[version.pk]),
            Title.POSITION: _position(version, records[version.pk], deployments[version.pk]),
        }
        for version in versions
    ]


def _files(files: reports.Reports, version: ModelVersion) -> Sequence[VersionReport]:
    return files.of(version) if version.metric_sources else ()


def metrics_of(version: ModelVersion) -> dict[str, Any]:
    """Return the validation metrics last reported at any stage of a version, flattened; empty when there are none."""
    return _latest(list(StageRecord.objects.filter(version=version)), "validation")


def _latest(records: Sequence[StageRecord], kind: str) -> dict[str, Any]:
    reported = [record for record in records if getattr(record, f"{kind}_metrics") is not None]
    if not reported:
        return {}
    # An undated report, which the database allows, is older than any dated one.
    newest = max(
        reported, key=lambda one: (one_at.timestamp() if (one_at := getattr(one, f"{kind}_captured_at")) else 0, one.pk)
    )
    return flat(getattr(newest, f"{kind}_metrics"))


def _parameters(version: ModelVersion) -> dict[str, Any]:
    """The hyperparameters on the card, and what its containers are started with."""
    found: dict[str, Any] = {}
    job = version.card_section("training_details").get("training_job_details")
    for name in _HYPER_PARAMETERS:
        given = job.get(name) if isinstance(job, Mapping) else None
        for item in given if isinstance(given, list) else ():
            if isinstance(item, Mapping) and isinstance(item.get("name"), str):
                found[item["name"]] = item.get("value")
    described = version.described if isinstance(version.described, Mapping) else {}
    inference = described.get("InferenceSpecification")
    containers = inference.get("Containers") if isinstance(inference, Mapping) else None
    for container in containers if isinstance(containers, list) else ():
        environment = container.get("Environment") if isinstance(container, Mapping) else None
        for name, value in environment.items() if isinstance(environment, Mapping) else ():
            found[f"Environment: {name}"] = value
    return found


def _of_run(reading: RunReading | None) -> dict[str, Any]:
    """The numbers of the MLflow run it comes from, once they count."""
    if reading is None or not reading.is_final:
        return {}
    return {name: value for name, value in reading.metrics.items() if is_number(value)}


def _ran(reading: RunReading | None) -> dict[str, Any]:
    """The parameters of the MLflow run it comes from, and what ran."""
    if reading is None:
        return {}
    return {
        **reading.params,
        "MLflow run": reading.name or reading.run.run_id,
        "Source of the run": reading.source_name or None,
        "Git commit of the run": reading.git_commit or None,
    }


def _containers(version: ModelVersion) -> dict[str, Any]:
    words = {
        "image": "Image",
        "image_digest": "Image digest",
        "model_data_url": "Artifact",
        "model_data_etag": "Artifact ETag",
        "framework": "Framework",
        "framework_version": "Framework version",
    }
    many = len(version.containers) > 1
    return {
        f"Container {index}: {label}" if many else label: container.get(key) or None
        for index, container in enumerate(version.containers, start=1)
        for key, label in words.items()
    }


def _card(version: ModelVersion) -> dict[str, Any]:
    leaves = flat(version.card or {})
    prefixes = tuple(f"training_details.training_job_details.{name}" for name in _HYPER_PARAMETERS)
    return {path_words(path): value for path, value in leaves.items() if not path.startswith(prefixes)}


def _answers(version: ModelVersion) -> dict[str, Any]:
    return {
        "Risk rating": version.risk_rating,
        "Purpose": version.purpose or None,
        "Owner on the card": version.owner_name or None,
        "Line of business": version.line_of_business or None,
        "Description": version.description or None,
    }


def _evidence(rows: Sequence[Evidence]) -> dict[str, Any]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_kind[str(value_words(row.kind))].append(f"{row.public_id} {row.title}")
    return {kind: "; ".join(names) for kind, names in sorted(by_kind.items())}


def _position(version: ModelVersion, records: Sequence[StageRecord], running: Sequence[Deployment]) -> dict[str, Any]:
    order = list(Stage)
    reached = sorted(
        {Stage(record.stage) for record in records if record.status in ("approved", "deployed", "superseded")},
        key=order.index,
    )
    runs = [f"{deployment.account.alias} ({Stage(deployment.stage).label})" for deployment in running]
    return {
        "Stage": Stage(version.stage).label,
        "Status": value_words(version.status),
        "Approved in": ", ".join(stage.label for stage in reached) or None,
        "Deployed in": ", ".join(runs) or None,
        "SageMaker says": version.aws_approval_status or None,
        "Model group": version.group.name,
        "Account": f"{version.group.account} {version.group.region}",
        "Registered": f"{version.aws_created_at:%Y-%m-%d %H:%M} UTC",
        "Registered by": str(version.registered_by) if version.registered_by else (version.registrant_name or None),
    }
