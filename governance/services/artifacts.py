"""Model artifacts on their way to the hub: copies ordered, and what lies where nobody knows found."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.aws.s3 import MalformedS3Url, S3Location, parse_s3_url
from registry.models import AwsAccount, ModelVersion

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
    hub = version.group.account
    write_back.order_artifact_copy(
        version=version, source=holder, target=hub, target_url=_target(hub.artifact_buckets[0], version, place)
    )


def _target(bucket: str, version: ModelVersion, place: S3Location) -> str:
    """Return where the hub keeps a copy: a prefix stays one.

    Another artifact of the same ARN has a place of its own: what was approved and deployed is read again whenever an
    endpoint grows, so no later copy may be written over it.
    """
    name = f"{place.key.rstrip('/').rsplit('/', 1)[-1]}{'/' if place.key.endswith('/') else ''}"
    here = (version.pk, version.artifact_url, version.artifact_etag)
    copies = OutboxMessage.objects.filter(kind=OutboxKind.ARTIFACT_COPY, version__arn=version.arn)
    # A card that changes moves no artifact.
    for pk, payload in copies.order_by("pk").values_list("version", "payload"):
        target = str(payload["target_url"])
        if (pk, payload["source_url"], payload.get("source_etag", "")) == here and target.startswith(f"s3://{bucket}/"):
            return target
    count = copies.values("payload__target_url").distinct().count()
    folder = f"{version.number}/{count + 1}" if count else f"{version.number}"
    return f"s3://{bucket}/{version.group.name}/{folder}/{name}"


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
