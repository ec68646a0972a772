"""What the sync brought in, made part of governance: ledgers opened, requests outdated, findings kept true.

Every function runs inside the transaction that wrote the change, so a version without a ledger cannot exist.
"""

from __future__ import annotations

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.aws.s3 import MalformedS3Url, parse_s3_url
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase
from registry.services.versions import VersionChange, link_use_cases, record_artifact_copy

from ..choices import FindingKind
from ..models import Finding
from . import findings, lifecycle, review, write_back
from .binding import subject_changed
from .closing import outdate
from .locking import lock_use_case


def absorb_version(actor: Actor, change: VersionChange) -> None:
    """Open the ledger of a new version; outdate what was asked or approved about one whose content changed."""
    version = change.version
    if change.is_new:
        lifecycle.begin_version(
            actor=actor, version=version, registrant=registrant_of(version), metrics=change.validation_metrics
        )
    if change.is_new or change.content_changed:
        _order_copy(actor, version)
    if change.aws_changed:
        lifecycle.follow_card_metrics(actor=actor, version=version, metrics=change.validation_metrics)
        subject_changed(actor=actor, subject=version, why="AWS has another content for it than before.")
    for kind, problems in (change.problems or {}).items():
        if problems:
            findings.observe(FindingKind(kind), version, " ".join(problems), {"problems": list(problems)})
        else:
            findings.clear(FindingKind(kind), version, "The next sync found nothing wrong.")
    findings.clear(FindingKind.MISSING_IN_AWS, version, "AWS lists it again.")
    if change.is_new or change.aws_changed:
        review.look_at(actor=actor, version_id=version.pk, kinds=review.AFTER_DESCRIPTION)


def absorb_missing(actor: Actor, version: ModelVersion) -> None:
    """Record that AWS no longer lists a version."""
    outdate(version, "AWS no longer has this version.")
    findings.observe(
        FindingKind.MISSING_IN_AWS,
        version,
        f"A complete listing of AWS no longer has {version.name}.",
        {"arn": version.arn},
    )


def absorb_group(actor: Actor, group: ModelGroup) -> None:
    """Keep the finding about unclaimed groups true."""
    if group.project_id is None:
        findings.observe(
            FindingKind.GROUP_UNLINKED,
            group,
            f"The model group {group.name} belongs to no project, so only people with a global role see it.",
            {"arn": group.arn},
        )
    else:
        findings.clear(FindingKind.GROUP_UNLINKED, group, "It was claimed for a project.")
    # A use case registered or a group claimed since may give the version what its card named.
    unknown = Finding.objects.unresolved().filter(kind=FindingKind.USE_CASE_UNKNOWN, version__group=group)
    for finding in unknown.select_related("version__group"):
        if finding.version is not None and not link_use_cases(finding.version):
            findings.clear(FindingKind.USE_CASE_UNKNOWN, finding.version, "The use case its card names is known now.")
            subject_changed(actor=actor, subject=finding.version, why="It serves the use case its card names now.")
    _take_use_cases_along(actor, group)


def registrant_of(version: ModelVersion) -> str:
    """Return who registered a version: the linked person's name, else the AWS principal, marked as one.

    Whoever assumes a role chooses its session's name, so an unlinked one must not read like a person of the portal.
    """
    if version.registered_by is not None:
        return str(version.registered_by.username)
    return f"aws:{version.registrant_name or 'unknown'}"


def _take_use_cases_along(actor: Actor, group: ModelGroup) -> None:
    """Let approved use cases of the group's project go on: what they waited for may have been unlinked since."""
    if group.project_id is None:
        return
    waiting = UseCase.objects.filter(project_id=group.project_id, status=Status.APPROVED).exclude(
        stage=Stage.PRODUCTION
    )
    for use_case_id in waiting.order_by("pk").values_list("pk", flat=True):
        lifecycle.advance_use_case_if_ready(actor=actor, use_case=lock_use_case(use_case_id))


def _order_copy(actor: Actor, version: ModelVersion) -> None:
    """Order the artifact into the hub's bucket when it lies in a spoke's; the record then names both places."""
    try:
        location = parse_s3_url(version.artifact_url)
    except MalformedS3Url:
        return
    hub = version.group.account
    if location.bucket in hub.artifact_buckets:
        record_artifact_copy(actor=actor, version=version, url=version.artifact_url, sha256="")
        return
    source = (
        AwsAccount.objects.enabled().filter(artifact_buckets__contains=[location.bucket]).exclude(pk=hub.pk).first()
    )
    if source is None or not hub.artifact_buckets:
        return
    target = f"s3://{hub.artifact_buckets[0]}/{version.group.name}/{version.number}/{location.key.rsplit('/', 1)[-1]}"
    write_back.order_artifact_copy(version=version, source=source, target=hub, target_url=target)
