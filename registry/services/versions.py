"""Model versions as AWS tells them: taken in, refreshed, linked to use cases, marked missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from portal.core.actors import Actor

from ..aws.arns import role_of_session
from ..aws.records import VersionRecord
from ..choices import LinkSource
from ..models import AwsIdentity, ModelGroup, ModelVersion, UseCase, VersionUseCase
from . import cards, digests, positions

_PUBLIC_ID = re.compile(r"UC-(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class VersionChange:
    """What taking in one version did. `problems` maps a kind of finding to what is wrong, for people."""

    version: ModelVersion
    is_new: bool = False
    content_changed: bool = False
    aws_changed: bool = False
    problems: dict[str, tuple[str, ...]] | None = None
    validation_metrics: dict[str, Any] | None = None

    @property
    def is_unchanged(self) -> bool:
        return not (self.is_new or self.aws_changed)


def take_in(*, actor: Actor, group: ModelGroup, record: VersionRecord) -> VersionChange:
    """Write down what AWS says of one version, new or known, and link it to its use case.

    Runs in the caller's operation, which must also open the version's ledger when it is new. Bad cards and
    metadata never stop a version from being recorded: what is wrong is returned.
    """
    created_at = record.created_at or timezone.now()
    facts = cards.read(record.card_content)
    metrics, metadata_problems = cards.metrics_of_metadata(record.metadata)
    values = {**_as_described(record), **_as_read(record, facts)}
    existing = (
        ModelVersion.objects.select_for_update(of=("self",))
        .select_related("group")
        .filter(arn=record.arn, aws_created_at=created_at)
        .first()
    )
    content_changed = aws_changed = False
    if existing is None:
        version = ModelVersion(
            arn=record.arn,
            group=group,
            number=record.version,
            aws_created_at=created_at,
            seen_at=timezone.now(),
            **values,
        )
        version.registered_by_id = _person_behind(version.registrant_arn)
        _note_modifier(version, group)
        positions.enter(version)
    else:
        version = existing
        content_changed = version.content_digest != values["content_digest"]
        changed = {name for name, value in values.items() if getattr(version, name) != value}
        aws_changed = bool(changed)
        for name in changed:
            setattr(version, name, values[name])
        version.seen_at = timezone.now()
        if "modifier_arn" in changed:
            _note_modifier(version, group)
            changed |= {"modified_by", "changed_by_arn"}
        came_back = version.missing_since is not None
        version.missing_since = None
        version.save(update_fields=[*changed, "seen_at", *(["missing_since"] if came_back else [])])
        if changed:
            _count_revision(version)
    use_case_problem = link_use_cases(version, facts.use_case_id)
    return VersionChange(
        version=version,
        is_new=existing is None,
        content_changed=content_changed,
        aws_changed=aws_changed,
        problems={
            "card_missing": () if record.card_content else ("SageMaker holds no model card for this version.",),
            "card_invalid": facts.problems,
            "metadata_invalid": metadata_problems,
            "use_case_unknown": (use_case_problem,) if use_case_problem else (),
        },
        validation_metrics={**(facts.validation_metrics or {}), **metrics} or None,
    )


def link_use_cases(version: ModelVersion, named: str | None = None) -> str:
    """Link a version to the use case its card names, or else to those its group serves.

    Returns what is wrong with the name, "" when nothing is. Only a use case of the group's own project counts:
    a card must not reach into another project.
    """
    if named is None:
        details = version.card_section("additional_information").get("custom_details")
        named = str(details.get("UseCaseId") or "") if isinstance(details, dict) else ""
    wanted: dict[int, LinkSource] = {}
    problem = ""
    if named:
        match = _PUBLIC_ID.fullmatch(named.strip())
        use_case = (
            UseCase.objects.filter(number=int(match[1]), project_id=version.group.project_id).first()
            if match and version.group.project_id
            else None
        )
        if use_case is None:
            problem = f"The card names the use case {named[:60]!r}, which this group's project does not have."
        else:
            wanted[use_case.pk] = LinkSource.CARD
    if not wanted:
        wanted = dict.fromkeys(version.group.use_cases.values_list("pk", flat=True), LinkSource.GROUP)
    links = {link.use_case_id: link for link in VersionUseCase.objects.filter(version=version)}
    for use_case_id, link in links.items():
        if wanted.get(use_case_id) != link.source:
            link.delete()
    VersionUseCase.objects.bulk_create(
        VersionUseCase(version=version, use_case_id=use_case_id, source=source)
        for use_case_id, source in wanted.items()
        if use_case_id not in links or links[use_case_id].source != source
    )
    return problem


def mark_missing(*, actor: Actor, group: ModelGroup, present: set[tuple[str, datetime]]) -> list[ModelVersion]:
    """Mark the versions of a group that a complete listing no longer has; returns those newly missing."""
    gone = [
        version
        for version in ModelVersion.objects.present().filter(group=group).select_related("group")
        if (version.arn, version.aws_created_at) not in present
    ]
    now = timezone.now()
    for version in gone:
        version.missing_since = now
        version.save(update_fields=["missing_since"])
        _count_revision(version)
    return gone


def record_artifact_copy(*, actor: Actor, version: ModelVersion, url: str, sha256: str) -> None:
    """Write down where the hub keeps a version's artifact; without a checksum it was there from the start."""
    version.hub_artifact_url = url
    version.hub_artifact_sha256 = sha256
    version.hub_artifact_copied_at = timezone.now() if sha256 else None
    version.save(update_fields=["hub_artifact_url", "hub_artifact_sha256", "hub_artifact_copied_at"])


def _count_revision(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(revision=F("revision") + 1)
    version.refresh_from_db(fields=["revision"])


def _person_behind(arn: str) -> int | None:
    """Return the person an AWS principal is linked to: by the session itself, or else by its role."""
    linked = dict(AwsIdentity.objects.filter(arn__in=(arn, role_of_session(arn))).values_list("arn", "user_id"))
    return linked.get(arn, linked.get(role_of_session(arn)))


def _note_modifier(version: ModelVersion, group: ModelGroup) -> None:
    """Write down who changed a version last; while that was the portal itself, it stays who it was before."""
    if version.modifier_arn and role_of_session(version.modifier_arn) != group.account.role_arn:
        version.changed_by_arn = version.modifier_arn
        version.modified_by_id = _person_behind(version.modifier_arn)


def _as_described(record: VersionRecord) -> dict[str, Any]:
    """The columns that hold AWS's own words."""
    life_cycle = record.life_cycle
    return {
        "description": record.description,
        "aws_status": record.status,
        "aws_approval_status": record.approval_status,
        "aws_approval_description": record.approval_description,
        "aws_stage": life_cycle.stage if life_cycle else "",
        "aws_stage_status": life_cycle.status if life_cycle else "",
        "aws_modified_at": record.last_modified_at or record.created_at or timezone.now(),
        "registrant_arn": record.created_by.arn if record.created_by else "",
        "modifier_arn": record.last_modified_by.arn if record.last_modified_by else "",
        "containers": [
            {
                "image": container.image,
                "image_digest": container.image_digest,
                "model_data_url": container.model_data_url,
                "model_data_etag": container.model_data_etag,
                "framework": container.framework,
                "framework_version": container.framework_version,
            }
            for container in record.containers
        ],
        "metric_sources": record.metrics,
        "drift_baselines": record.drift_baselines,
        "metadata": record.metadata,
        "card_status": record.card_status,
        "source_uri": record.source_uri,
        "training_job_arn": record.training_job_arn or "",
        "described": record.raw,
        "content_digest": digests.digest(digests.content(record)),
        "artifact_url": record.containers[0].model_data_url if record.containers else "",
        "artifact_etag": record.containers[0].model_data_etag if record.containers else "",
    }


def _as_read(record: VersionRecord, facts: cards.CardFacts) -> dict[str, Any]:
    """The columns that hold what the portal reads out of the card."""
    return {
        "card": facts.content,
        "purpose": facts.purpose,
        "owner_name": facts.owner_name,
        "line_of_business": facts.line_of_business,
        "risk_rating": facts.risk_rating,
    }
