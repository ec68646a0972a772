"""What the sync brought in, made part of governance: ledgers opened, requests outdated, findings kept true.

Every function runs inside the transaction that wrote the change, so a version without a ledger cannot exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import Stage, Status
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase
from registry.services.versions import VersionChange, link_all

from ..choices import FindingKind
from ..models import Finding
from ..selectors.observed import Observation
from . import artifacts, findings, lifecycle, out_of_band, runs
from .binding import subject_changed
from .closing import outdate
from .locking import lock_use_case, lock_use_cases_of


def absorb_version(actor: Actor, change: VersionChange) -> None:
    """Make one version part of governance, as `absorb_versions` does for many."""
    absorb_versions(actor, [change])


def absorb_versions(actor: Actor, changes: Sequence[VersionChange]) -> None:
    """Open the ledgers of new versions; outdate what was asked or approved about those whose content changed.

    What is new costs the same number of statements however many there are; what changed is followed one by one.
    """
    new = [change for change in changes if change.is_new]
    lifecycle.begin_versions(
        actor=actor,
        arrivals=[
            lifecycle.Arrival(change.version, registrant_of(change.version), change.validation_metrics)
            for change in new
        ],
    )
    runs.recognise(actor=actor, versions=[change.version for change in new])
    moved = [change.version for change in changes if change.is_new or change.content_changed]
    artifacts.order_copies(actor=actor, versions=moved)
    lock_use_cases_of([change.version for change in changes if change.aws_changed])
    for change in changes:
        if change.aws_changed:
            version = change.version
            lifecycle.follow_card_metrics(actor=actor, version=version, metrics=change.validation_metrics)
            subject_changed(actor=actor, subject=version, why="AWS has another content for it than before.")
    _judge_descriptions(changes)
    back = [change.version for change in changes if change.came_back]
    findings.clear_all(FindingKind.MISSING_IN_AWS, back, "AWS lists it again.")
    out_of_band.look_at_all(actor=actor, changes=changes)


def absorb_missing(actor: Actor, versions: Sequence[ModelVersion]) -> None:
    """Record that AWS no longer lists versions."""
    lock_use_cases_of(versions)
    for version in versions:
        outdate(version, "AWS no longer has this version.", actor=actor)
    findings.record(
        FindingKind.MISSING_IN_AWS,
        [
            Observation(version, f"A complete listing of AWS no longer has {version.name}.", {"arn": version.arn})
            for version in versions
        ],
        timezone.now(),
    )


def _judge_descriptions(changes: Sequence[VersionChange]) -> None:
    """Keep the findings about cards and metadata true for what was just described."""
    now = timezone.now()
    for kind in sorted({kind for change in changes for kind in change.problems}):
        wrong = {change.version.pk: change for change in changes if change.problems.get(kind)}
        findings.record(
            FindingKind(kind),
            [
                Observation(change.version, " ".join(change.problems[kind]), {"problems": list(change.problems[kind])})
                for change in wrong.values()
            ],
            now,
        )
        right = [change.version for change in changes if change.version.pk not in wrong and not change.is_new]
        findings.clear_all(FindingKind(kind), right, "The next sync found nothing wrong.")


def absorb_group(actor: Actor, group: ModelGroup) -> None:
    """Keep the findings about a locked group true: that it is unclaimed, that its cards name unknown use cases."""
    if group.project_id is None:
        findings.observe(
            FindingKind.GROUP_UNLINKED,
            group,
            f"The model group {group.name} belongs to no project, so only people with a global role see it.",
            {"arn": group.arn},
        )
    else:
        findings.clear(FindingKind.GROUP_UNLINKED, group, "It was claimed for a project.")
    _settle_unknown(actor, group)


def absorb_rest(actor: Actor, account: AwsAccount, region: str) -> None:
    """After a full pass, look again at what other things than AWS may have settled: use cases registered since."""
    groups = ModelGroup.objects.filter(account=account, region=region, missing_since=None)
    unknown = Finding.objects.unresolved().filter(kind=FindingKind.USE_CASE_UNKNOWN)
    for group in groups.filter(pk__in=unknown.values("version__group")).order_by("pk"):
        with operation(actor, "full sync"):
            _settle_unknown(actor, ModelGroup.objects.select_for_update(no_key=True).get(pk=group.pk))
    take_use_cases_along(actor, list(groups.exclude(project=None)))


def take_use_cases_along(actor: Actor, groups: Sequence[ModelGroup]) -> None:
    """Let approved use cases of the groups' projects go on: what they waited for may have been unlinked since.

    Each in an operation of its own, for only one that is locked alone is locked in order.
    """
    projects = {group.project_id for group in groups if group.project_id is not None}
    waiting = UseCase.objects.filter(project_id__in=projects, status=Status.APPROVED).exclude(stage=Stage.PRODUCTION)
    for use_case_id in list(waiting.order_by("pk").values_list("pk", flat=True)):
        with operation(actor, "nothing blocks it any more"):
            lifecycle.advance_use_case_if_ready(actor=actor, use_case=lock_use_case(use_case_id))


def registrant_of(version: ModelVersion) -> str:
    """Return who registered a version: the linked person's name, else the AWS principal, marked as one.

    Whoever assumes a role chooses its session's name, so an unlinked one must not read like a person of the portal.
    """
    if version.registered_by is not None:
        return str(version.registered_by.username)
    return f"aws:{version.registrant_name or 'unknown'}"


def _settle_unknown(actor: Actor, group: ModelGroup) -> None:
    """A use case registered or a group claimed since may give a version what its card named; the group is locked."""
    unknown = Finding.objects.unresolved().filter(kind=FindingKind.USE_CASE_UNKNOWN, version__group=group)
    rows = ModelVersion.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=unknown.values("version"))
    versions = list(rows.select_related("group__account", "group__project").defer("described").order_by("pk"))
    problems = link_all(versions)
    settled = [version for version in versions if not problems[version.pk]]
    if not settled:
        return
    findings.clear_all(FindingKind.USE_CASE_UNKNOWN, settled, "The use case its card names is known now.")
    lock_use_cases_of(settled)
    for version in settled:
        subject_changed(actor=actor, subject=version, why="It serves the use case its card names now.")
