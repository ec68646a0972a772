"""Model versions as AWS tells them: taken in, refreshed, linked to use cases, marked missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from portal.core import bulk
from portal.core.actors import Actor

from ..aws.arns import is_portal, role_of_session
from ..aws.records import Identity, VersionRecord
from ..aws.s3 import MalformedS3Url, parse_s3_url
from ..aws.session import SESSION_NAME
from ..choices import LinkSource
from ..models import AwsIdentity, ModelGroup, ModelVersion, UseCase, VersionUseCase
from . import cards, digests, positions, registrations

Key = tuple[str, datetime]
# A version is wide (the whole answer of AWS): more rows make a statement of megabytes, fewer make a round trip each.
_ROWS_A_STATEMENT = 200
# What a decision made in SageMaker changes on a version, and what AWS changes with it or by itself.
_DECISION = frozenset({"aws_approval_status", "aws_approval_description", "aws_stage", "aws_stage_status"})
_STAMP = frozenset({"aws_modified_at", "modifier_arn", "aws_status", "described"})
_NOT_CONTENT = frozenset(
    {
        "ModelApprovalStatus", "ApprovalDescription", "ModelLifeCycle", "LastModifiedTime", "LastModifiedBy",
        "ModelPackageStatus", "ModelPackageStatusDetails",
    }
)  # fmt: skip
_PUBLIC_ID = re.compile(r"UC-(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class VersionChange:
    """What taking in one version did. `problems` maps a kind of finding to what is wrong, for people.

    `aws_changed` is any column that differs, `modified` that AWS says it was modified since the portal last knew it.
    """

    version: ModelVersion
    is_new: bool = False
    content_changed: bool = False
    aws_changed: bool = False
    modified: bool = False
    came_back: bool = False
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    validation_metrics: dict[str, Any] | None = None

    @property
    def is_unchanged(self) -> bool:
        return not (self.is_new or self.aws_changed or self.came_back)


def take_in(*, actor: Actor, group: ModelGroup, record: VersionRecord) -> VersionChange:
    """Write down what AWS says of one version, as `take_in_all` does for many."""
    return take_in_all(actor=actor, group=group, records=[record])[0]


def take_in_all(*, actor: Actor, group: ModelGroup, records: Sequence[VersionRecord]) -> list[VersionChange]:
    """Write down what AWS says of versions of one group, new or known, and link them to their use cases.

    Returns one change per version, in the order of the records; of several records of one version the last modified
    counts. The same number of statements however many there are. Runs in the caller's operation, on a locked group; it
    must also open the ledgers of the new ones. Bad cards and metadata never stop a version from being recorded: what
    is wrong is returned.
    """
    now = timezone.now()
    newest = _newest(records, now)
    rows = ModelVersion.objects.select_for_update(of=("self",), no_key=True).filter(arn__in=[arn for arn, _ in newest])
    existing = {key: row for row in rows.order_by("pk") if (key := (row.arn, row.aws_created_at)) in newest}
    people = _People(newest.values())
    asked_by = registrations.registrants_of(group, [record for key, record in newest.items() if key not in existing])
    changes: list[VersionChange] = []
    altered: dict[int, set[str]] = {}
    named: list[str] = []
    for key, record in newest.items():
        facts = cards.read(record.card_content)
        values = {**_as_described(record), **_as_read(record, facts)}
        metrics, metadata_problems = cards.metrics_of_metadata(record.metadata)
        version = existing.get(key)
        names: set[str] = set()
        if version is None:
            version = ModelVersion(arn=record.arn, number=record.version, aws_created_at=key[1], group=group, **values)
            # AWS knows the portal's role alone as the maker of what people register through the portal.
            version.registered_by_id = asked_by.get(version.arn) or people.behind(version.registrant_arn)
            people.note_modifier(version, record.last_modified_by)
            _note_place(version)
        else:
            version.group = group
            names = _alter(version, values, people, record.last_modified_by)
            altered[version.pk] = names
        version.seen_at = now
        named.append(facts.use_case_id)
        changes.append(
            VersionChange(
                version=version,
                is_new=key not in existing,
                content_changed="content_digest" in names,
                aws_changed="revision" in names,
                modified="aws_modified_at" in names,
                came_back="missing_since" in names,
                problems={
                    "card_missing": () if record.card_content else ("SageMaker holds no model card for this version.",),
                    "card_invalid": facts.problems,
                    "metadata_invalid": metadata_problems,
                    "use_case_unknown": (),
                },
                validation_metrics={**(facts.validation_metrics or {}), **metrics} or None,
            )
        )
    positions.enter_all([change.version for change in changes if change.is_new])
    _save_altered([change.version for change in changes if not change.is_new], altered)
    unknown = link_all(
        [change.version for change in changes],
        {change.version.pk: name for change, name in zip(changes, named, strict=True)},
    )
    for change in changes:
        if unknown[change.version.pk]:
            change.problems["use_case_unknown"] = (unknown[change.version.pk],)
    return changes


def link_all(versions: Sequence[ModelVersion], named: Mapping[int, str] | None = None) -> dict[int, str]:
    """Link versions of one group to the use case their card names, or else to those the group serves.

    `named` has the use case each card names, by the version's key, where that was read just now. Returns what is wrong
    with the name, "" when nothing is, by the same key. Only a use case of the group's own project counts: a card must
    not reach into another project.
    """
    if not versions:
        return {}
    said = {version.pk: _named_by(version) for version in versions} | dict(named or {})
    return _link(versions[0].group, said)


def link_group(group: ModelGroup) -> None:
    """Link every version of a group anew; of their cards only the names are read, for there may be thousands."""
    card = KeyTransform("custom_details", KeyTransform("additional_information", "card"))
    rows = group.versions.annotate(named=KeyTextTransform("UseCaseId", card))
    _link(group, {pk: name or "" for pk, name in rows.values_list("pk", "named")})


def _link(group: ModelGroup, said: Mapping[int, str]) -> dict[int, str]:
    numbers = {pk: int(match[1]) for pk, name in said.items() if (match := _PUBLIC_ID.fullmatch(name.strip()))}
    known: dict[int, int] = {}
    if numbers and group.project_id:
        in_project = UseCase.objects.filter(number__in=set(numbers.values()), project_id=group.project_id)
        known = dict(in_project.values_list("number", "pk"))
    of_group = list(group.use_cases.values_list("pk", flat=True))
    links: dict[int, dict[int, VersionUseCase]] = {}
    for link in VersionUseCase.objects.filter(version_id__in=list(said)):
        links.setdefault(link.version_id, {})[link.use_case_id] = link
    problems: dict[int, str] = {}
    fallen: list[int] = []
    wanted_links: list[VersionUseCase] = []
    if links:
        # Whoever holds one of them may be about to follow what it means for these versions.
        involved = {used for have in links.values() for used in have} | {*known.values(), *of_group}
        list(UseCase.objects.select_for_update(no_key=True).filter(pk__in=involved).order_by("pk").values_list("pk"))
    for pk, name in said.items():
        use_case_id = known.get(numbers.get(pk, 0))
        problems[pk] = (
            f"The card names the use case {name[:60]!r}, which this group's project does not have."
            if name and use_case_id is None
            else ""
        )
        wanted = {use_case_id: LinkSource.CARD} if use_case_id else dict.fromkeys(of_group, LinkSource.GROUP)
        have = links.get(pk, {})
        fallen += [link.pk for used, link in have.items() if wanted.get(used) != link.source]
        wanted_links += [
            VersionUseCase(version_id=pk, use_case_id=used, source=source)
            for used, source in wanted.items()
            if used not in have or have[used].source != source
        ]
    if fallen:
        VersionUseCase.objects.filter(pk__in=fallen).delete()
    bulk.insert(wanted_links)
    return problems


def mark_missing(
    *, actor: Actor, version_ids: Collection[int], seen_before: datetime | None = None
) -> list[ModelVersion]:
    """Mark versions that AWS no longer has; returns those newly missing, locked.

    One taken in at or after `seen_before` (when the listing began) is newer than the listing, not missing from it.
    Runs in the caller's operation.
    """
    rows = ModelVersion.objects.present().filter(pk__in=list(version_ids))
    if seen_before is not None:
        rows = rows.filter(seen_at__lt=seen_before)
    gone = list(rows.select_for_update(of=("self",), no_key=True).select_related("group__account").order_by("pk"))
    now = timezone.now()
    for version in gone:
        version.missing_since = now
        version.revision += 1
    ModelVersion.objects.bulk_update(gone, ["missing_since", "revision"], batch_size=_ROWS_A_STATEMENT)
    return gone


def record_artifact_copy(*, actor: Actor, version: ModelVersion, url: str, sha256: str) -> None:
    """Write down where the hub keeps a version's artifact; without a checksum it was there from the start."""
    version.hub_artifact_url = url
    version.hub_artifact_sha256 = sha256
    version.hub_artifact_copied_at = timezone.now() if sha256 else None
    version.save(update_fields=["hub_artifact_url", "hub_artifact_sha256", "hub_artifact_copied_at"])


class _People:
    """Who stands behind the AWS principals of a batch, read at once."""

    def __init__(self, records: Iterable[VersionRecord]) -> None:
        arns = {
            identity.arn
            for record in records
            for identity in (record.created_by, record.last_modified_by)
            if identity is not None
        }
        linked = AwsIdentity.objects.filter(arn__in=arns | {role_of_session(arn) for arn in arns})
        self._linked = dict(linked.values_list("arn", "user_id")) if arns else {}

    def behind(self, arn: str) -> int | None:
        """Return the person an AWS principal is linked to: by the session itself, or else by its role."""
        return self._linked.get(arn, self._linked.get(role_of_session(arn)))

    def note_modifier(self, version: ModelVersion, by: Identity | None) -> None:
        """Write down who changed a version last; while that was the portal itself, it stays who it was before."""
        role = version.group.account.role_arn
        if by and by.arn and not is_portal(by.arn, by.source_identity, role=role, session_name=SESSION_NAME):
            version.changed_by_arn = version.modifier_arn
            version.modified_by_id = self.behind(version.modifier_arn)


def _newest(records: Sequence[VersionRecord], now: datetime) -> dict[Key, VersionRecord]:
    newest: dict[Key, VersionRecord] = {}
    for record in records:
        key = (record.arn, record.created_at or now)
        known = newest.get(key)
        if known is None or (record.last_modified_at or now) >= (known.last_modified_at or now):
            newest[key] = record
    return newest


def _alter(version: ModelVersion, values: Mapping[str, Any], people: _People, by: Identity | None) -> set[str]:
    """Give a known version the values that differ; returns the names of everything that changed on it.

    Among them is `revision` when AWS says something else than before, and `missing_since` when it came back. A reading
    older than what is stored changes nothing: whoever read first may be the last to write.
    """
    is_older = values["aws_modified_at"] < version.aws_modified_at
    names = set() if is_older else {name for name, value in values.items() if getattr(version, name) != value}
    is_decision = _is_decision(names, version.described, values["described"])
    for name in names:
        setattr(version, name, values[name])
    if "artifact_url" in names:
        if not _note_place(version):
            # What the hub has is a copy of another artifact: no order may name it.
            version.hub_artifact_url = version.hub_artifact_sha256 = ""
            version.hub_artifact_copied_at = None
        names |= {"hub_artifact_url", "hub_artifact_sha256", "hub_artifact_copied_at"}
    if names and not is_decision:
        people.note_modifier(version, by)
        names |= {"modified_by", "changed_by_arn"}
    if names:
        version.revision += 1
        names.add("revision")
    if version.missing_since is not None:
        version.missing_since = None
        names.add("missing_since")
    return names


def _is_decision(names: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether approval or stage changed and nothing else: who approves in SageMaker has not changed the content."""
    if not _DECISION.intersection(names) or set(names) - _DECISION - _STAMP:
        return False
    return all(before.get(key) == after.get(key) for key in {*before, *after} - _NOT_CONTENT)


def _save_altered(versions: Sequence[ModelVersion], altered: Mapping[int, set[str]]) -> None:
    changed = [version for version in versions if altered[version.pk]]
    if changed:
        names = set().union(*altered.values(), {"seen_at"})
        ModelVersion.objects.bulk_update(changed, sorted(names), batch_size=_ROWS_A_STATEMENT)
    as_known = [version.pk for version in versions if not altered[version.pk]]
    if as_known:
        ModelVersion.objects.filter(pk__in=as_known).update(seen_at=versions[0].seen_at)


def _note_place(version: ModelVersion) -> bool:
    """Write down that the hub has a version's artifact from the start, when it lies in one of its buckets."""
    try:
        bucket = parse_s3_url(version.artifact_url).bucket
    except MalformedS3Url:
        return False
    if bucket not in version.group.account.artifact_buckets:
        return False
    version.hub_artifact_url, version.hub_artifact_sha256 = version.artifact_url, ""
    version.hub_artifact_copied_at = None
    return True


def _named_by(version: ModelVersion) -> str:
    details = version.card_section("additional_information").get("custom_details")
    return str(details.get("UseCaseId") or "") if isinstance(details, dict) else ""


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
