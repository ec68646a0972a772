"""Read out of a version what it says of its origin: the job that made it, the hub's model it began with.

Pure: works on what DescribeModelPackage and the card say, and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.hub import parse_content_arn
from ..aws.training import JobArn, job_of_artifact, parse_job_arn

_JUMPSTART = re.compile(r"s3://jumpstart-(?:private-)?cache-prod-[a-z0-9-]+/")
_AUTOML = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:automl-job/[A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class NamedJob:
    """Hold a training job a version points at: by its own words ("version"), its card's, or its artifact's place.

    `arn` is None for an artifact, which names a job but no account.
    """

    source: str
    name: str
    arn: JobArn | None = None
    artifact: str = ""


@dataclass(frozen=True, slots=True)
class HubOrigin:
    """Hold what a version says of the hub's model it began with; `eula_accepted` None where nothing is said."""

    arn: str = ""
    name: str = ""
    version: str = ""
    eula_accepted: bool | None = None

    def __bool__(self) -> bool:
        return bool(self.arn or self.name)


def jobs_named(*, told: str, card: Any, artifact_url: str, of_run: Iterable[str] = ()) -> list[NamedJob]:
    """Return the training jobs a version points at, the surest first.

    `told` is the ARN from MetadataProperties.GeneratedBy or SourceUri, "" for none; `card` the card's content,
    `of_run` the ARNs of what the pipeline run did that registered it: they count where it had one training job.
    """
    found = []
    for source, text in (("version", told), ("card", card_job(card))):
        arn = parse_job_arn(text)
        if arn and arn.kind == "training-job":
            found.append(NamedJob(source, arn.name, arn))
    trained = {text: arn for text in of_run if (arn := parse_job_arn(text)) and arn.kind == "training-job"}
    if len(trained) == 1:
        found += [NamedJob("pipeline", arn.name, arn) for arn in trained.values()]
    if name := job_of_artifact(artifact_url):
        found.append(NamedJob("artifact", name, artifact=artifact_url))
    return found


def card_job(card: Any) -> str:
    """Return the training job's ARN as the card names it; "" where it names none."""
    for name in ("training_details", "training_job_details"):
        card = card.get(name) if isinstance(card, Mapping) else None
    arn = card.get("training_arn") if isinstance(card, Mapping) else None
    return arn if isinstance(arn, str) else ""


def automl_named(described: Mapping[str, Any]) -> str:
    """Return the ARN of the AutoML job a version says it was made by; "" where it says none."""
    made_by = described.get("MetadataProperties")
    text = str(made_by.get("GeneratedBy") or "") if isinstance(made_by, Mapping) else ""
    found = _AUTOML.search(text) or _AUTOML.search(str(described.get("SourceUri") or ""))
    return found[0] if found else ""


def hub_origin(described: Mapping[str, Any]) -> HubOrigin:
    """Return the hub content a version's containers name: by its ARN, or by name alone (BaseModel).

    An accepted agreement of any container counts; a refused one only where none was accepted.
    """
    arn = name = version = ""
    eula: bool | None = None
    for container in _containers(described):
        for source in _sources(container):
            access = source.get("HubAccessConfig")
            said = access.get("HubContentArn") if isinstance(access, Mapping) else None
            if isinstance(said, str) and parse_content_arn(said):
                arn = arn or said
            agreed = source.get("ModelAccessConfig")
            accepted = agreed.get("AcceptEula") if isinstance(agreed, Mapping) else None
            if isinstance(accepted, bool):
                eula = bool(eula) or accepted
        base = container.get("BaseModel")
        if isinstance(base, Mapping) and isinstance(base.get("HubContentName"), str) and not name:
            name, version = base["HubContentName"], str(base.get("HubContentVersion") or "")
    return HubOrigin(arn, name, version, eula)


def jumpstart_address(addresses: Iterable[str]) -> str:
    """Return the first address that lies in a bucket AWS publishes JumpStart's models in; "" where none does.

    Source: the SageMaker Python SDK 2.251.1, `jumpstart/region_config.json`, which names two buckets for each region.
    """
    return next((one for one in addresses if _JUMPSTART.match(one)), "")


def artifacts_of(described: Mapping[str, Any]) -> list[str]:
    """Return where the artifacts of a version's containers lie."""
    found = []
    for container in _containers(described):
        told = [container.get("ModelDataUrl"), *(source.get("S3Uri") for source in _sources(container))]
        found += [one for one in told if isinstance(one, str)]
    return found


def _containers(described: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    inference = described.get("InferenceSpecification")
    listed = inference.get("Containers") if isinstance(inference, Mapping) else None
    yield from (one for one in listed or () if isinstance(one, Mapping)) if isinstance(listed, list) else ()


def _sources(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    more = container.get("AdditionalModelDataSources")
    for one in [container.get("ModelDataSource"), *(more if isinstance(more, list) else [])]:
        source = one.get("S3DataSource") if isinstance(one, Mapping) else None
        if isinstance(source, Mapping):
            yield source
