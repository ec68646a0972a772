"""Model artifacts on their way to the hub: copies ordered, and what lies where nobody knows found."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.aws.s3 import MalformedS3Url, S3Location, parse_s3_url
from registry.models import AwsAccount, ModelVersion
from registry.services.versions import record_artifact_copy

from ..choices import FindingKind, OutboxKind
from ..models import Finding, OutboxMessage
from ..selectors.observed import Observation
from . import findings, write_back

ACTOR = Actor.system("artifacts")


def order_copies(*, actor: Actor, versions: Sequence[ModelVersion]) -> None:
    """Order the artifacts into the hub's bucket that lie in a spoke's; the records then name both places.

    One that lies in a bucket no enabled account names is a finding until one does. Runs in the caller's operation,
    which took the versions in with their groups and accounts; reads the accounts once however many versions there are.
    """
    outside = [(version, place) for version in versions if (place := _place(version)) is not None]
    if not outside:
        return
    holders = _holders()
    homeless: list[Observation] = []
    settled: list[ModelVersion] = []
    for version, place in outside:
        holder = holders.get(place.bucket)
        if holder is None:
            homeless.append(
                Observation(
                    version,
                    f"The artifact of {version.name} lies in {place.bucket}, which no enabled account names among its"
                    " artifact buckets, so it cannot be copied to the hub.",
                    {"artifact_url": version.artifact_url, "bucket": place.bucket},
                )
            )
        else:
            _order(actor, version, place, holder)
        if holder is not None:
            settled.append(version)
    findings.record(FindingKind.ARTIFACT_UNREACHABLE, homeless, timezone.now())
    findings.clear_all(FindingKind.ARTIFACT_UNREACHABLE, settled, "An account names the bucket now.")


def settle_unreachable() -> int:
    """Order the copies that waited for an account to name their bucket; returns how many findings were looked at."""
    waiting = Finding.objects.unresolved().filter(kind=FindingKind.ARTIFACT_UNREACHABLE)
    holders = _holders()
    looked = 0
    for finding in waiting.select_related("version__group__account").order_by("pk"):
        version = finding.version
        if version is None:
            continue
        place = _place(version)
        if place is not None and place.bucket not in holders:
            continue
        looked += 1
        with operation(ACTOR, "an account names the bucket"):
            if place is None:
                findings.clear(FindingKind.ARTIFACT_UNREACHABLE, version, "Its artifact lies in the hub now.")
            else:
                order_copies(actor=ACTOR, versions=[version])
    return looked


def latest_copy(version: ModelVersion) -> OutboxMessage | None:
    """Return the last copy that was ordered of a version's artifact, None when there was none."""
    return OutboxMessage.objects.filter(kind=OutboxKind.ARTIFACT_COPY, version=version).order_by("-pk").first()


def _order(actor: Actor, version: ModelVersion, place: S3Location, holder: AwsAccount) -> None:
    if version.hub_artifact_url:
        last = latest_copy(version)
        if last is None or last.payload.get("source_url") != version.artifact_url:
            # What the hub has is a copy of another artifact.
            record_artifact_copy(actor=actor, version=version, url="", sha256="")
    hub = version.group.account
    write_back.order_artifact_copy(
        version=version, source=holder, target=hub, target_url=_target(hub.artifact_buckets[0], version, place)
    )


def _target(bucket: str, version: ModelVersion, place: S3Location) -> str:
    """Return where the hub keeps a copy: a prefix stays one."""
    name = place.key.rstrip("/").rsplit("/", 1)[-1]
    return f"s3://{bucket}/{version.group.name}/{version.number}/{name}{'/' if place.key.endswith('/') else ''}"


def _place(version: ModelVersion) -> S3Location | None:
    """Return where an artifact lies outside the hub; None when it is in the hub, nowhere, or the hub keeps none."""
    try:
        place = parse_s3_url(version.artifact_url)
    except MalformedS3Url:
        return None
    buckets = version.group.account.artifact_buckets
    return place if buckets and place.bucket not in buckets else None


def _holders() -> dict[str, AwsAccount]:
    """Return the enabled account behind each artifact bucket."""
    accounts = AwsAccount.objects.enabled().exclude(artifact_buckets=[]).order_by("-pk")
    return {bucket: account for account in accounts for bucket in account.artifact_buckets}
