"""Versions that people register through the portal: asked for here, known again when AWS tells of them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from portal.core import access, kept
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..aws import registering
from ..aws.arns import is_session_of
from ..aws.errors import AwsError
from ..aws.records import ContainerRecord, LifeCycle, VersionRecord
from ..aws.s3 import MalformedS3Url, parse_s3_url
from ..aws.values import json_safe
from ..choices import AccountPurpose, AskedState
from ..models import AwsAccount, ModelGroup, ModelVersion, Registration, UseCase
from . import accounts, cards

# The metadata a version carries that the portal registered: its registration's public id.
METADATA_KEY = "portal-registration"
# How much AWS's clock and the portal's may differ.
CLOCKS = timedelta(minutes=10)
_USE_CASE = re.compile(r"UC-(\d{1,9})", re.IGNORECASE)
# How a version begins, in SageMaker's words.
BEGINNING = LifeCycle("Development", "PendingApproval")
# AWS's names of what is sent, and the portal's names of what was asked.
_FIELDS = {
    "ModelPackageDescription": "description",
    "InferenceSpecification.SupportedContentTypes": "content_types",
    "InferenceSpecification.SupportedResponseMIMETypes": "response_types",
    "InferenceSpecification": "containers",
    "CustomerMetadataProperties": "metadata",
    "ModelCard": "card",
    "ModelMetrics": "metric_sources",
    "DriftCheckBaselines": "drift_baselines",
    "SourceUri": "source_uri",
    "MetadataProperties": "training_job",
}


@dataclass(frozen=True)
class NewVersion:
    """What people say of a version to be registered.

    `card` is the card's content, None for none; `metric_sources` and `drift_baselines` keep AWS's structure of
    pointers into S3 (ModelMetrics, DriftCheckBaselines). A container's artifact that ends in a slash is a prefix of
    uncompressed files.
    """

    containers: tuple[ContainerRecord, ...]
    content_types: tuple[str, ...]
    response_types: tuple[str, ...]
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    card: Mapping[str, Any] | None = None
    metric_sources: Mapping[str, Any] = field(default_factory=dict)
    drift_baselines: Mapping[str, Any] = field(default_factory=dict)
    source_uri: str = ""
    training_job: str = ""
    skip_validation: bool = False


def ask(
    *, actor: Actor, group_id: int, new: NewVersion, reference: str = "", seen: ModelGroup | None = None
) -> tuple[Registration, bool]:
    """Write down what is to be registered, with the next public id; returns it and whether it is new.

    Runs in the caller's operation, which also orders the delivery. The same `reference` of the same person in the same
    group gives the registration it gave before. `seen` is the group where the caller has just read it, with its
    account, as the actor may see it. Raises NotFound, Forbidden, WrongState when the group is gone, lies in
    no hub or its account is switched off, InvalidInput naming the fields, also when the reference stood for something
    else. Source: CreateModelPackage.
    """
    group = seen or access.get(ModelGroup, actor, related=("account",), pk=group_id)
    require(actor, Act.REGISTER_VERSION, group.project_id)
    if actor.user_id is None:
        raise InvalidInput("A version is registered by a person.")
    if group.missing_since is not None:
        raise WrongState(f"AWS no longer has the group {group.name}, so nothing can be registered in it.")
    if AccountPurpose.HUB not in group.account.purposes:
        raise WrongState(
            f"The portal registers versions in groups of a hub only; {group.name} is read in {group.account}."
            " Register it there with SageMaker, or in a group of the hub."
        )
    payload = _checked(group, new)
    if reference:
        if len(reference) > 128 or not reference.isprintable():
            raise InvalidInput(
                "The reference cannot be kept.", errors={"reference": ["At most 128 printable characters."]}
            )
        hold_until_commit(f"registration:{group.pk}:{actor.user_id}:{reference}")
        known = Registration.objects.filter(group=group, requested_by_id=actor.user_id, reference=reference).first()
        if known is not None:
            if _asked(known.payload) != payload:
                raise InvalidInput(
                    "This reference stands for another registration.",
                    errors={"reference": [f"You used it for {known.public_id}, with another content."]},
                )
            return known, False
    registration = Registration(number=_next_number(), group=group, requested_by_id=actor.user_id, reference=reference)
    registration.payload = {
        **payload,
        "CustomerMetadataProperties": {
            **payload.get("CustomerMetadataProperties", {}),
            METADATA_KEY: registration.public_id,
        },
    }
    return kept.insert(registration), True


def _next_number() -> int:
    """Return a number no registration has or had; those that register at the same time do not wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_next_registration()")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def registrants_of(group: ModelGroup, records: Collection[VersionRecord]) -> dict[str, int]:
    """Return, by ARN, the person who had the portal register a version; those nobody did are left out.

    A registration that knows its ARN decides. Else the version's own metadata names its registration, which counts
    only for what the portal's role itself made in the registration's group, once: the ARN is then written to the
    registration, so that another version with the same words is nobody's. Reads nothing when no record is the
    portal's; runs in the caller's operation, for versions taken in for the first time.
    """
    ours = [record for record in records if METADATA_KEY in record.metadata or _made_by_portal(group.account, record)]
    if not ours:
        return {}
    rows = list(Registration.objects.select_for_update().filter(group=group).filter(_named_in(ours)).order_by("pk"))
    by_arn = {row.arn: row for row in rows if row.arn}
    by_id = {row.public_id: row for row in rows if not row.arn}
    found: dict[str, int] = {}
    for record in sorted(ours, key=lambda one: one.version):
        row = by_arn.get(record.arn)
        if row is None and _made_by_portal(group.account, record):
            row = by_id.pop(record.metadata.get(METADATA_KEY, ""), None)
            if row is not None:
                row.arn = record.arn
                row.save(update_fields=["arn"])
        if row is not None:
            found[record.arn] = row.requested_by_id
    return found


def note_arn(*, actor: Actor, number: int, arn: str) -> Registration:
    """Write down which version AWS made for a registration, and who registered it.

    AWS's answer to the portal's own request is proof enough, whatever the version's metadata says, and whoever was
    taken for the registrant because of them or of the portal's role. Raises WrongState when another version was made
    for it before.
    """
    with operation(actor, "AWS made the version"):
        row = Registration.objects.select_for_update(of=("self",)).select_related("group").get(number=number)
        if row.arn not in ("", arn):
            raise WrongState(f"{row.public_id} was registered as {row.arn} before, and AWS answers {arn} now.")
        if not row.arn:
            row.arn = arn
            row.save(update_fields=["arn"])
        # An ARN that was used before stands for another version.
        made = ModelVersion.objects.filter(arn=arn, group=row.group, aws_created_at__gte=row.requested_at - CLOCKS)
        for version in made.exclude(registered_by_id=row.requested_by_id):
            version.registered_by_id = row.requested_by_id
            version.save(update_fields=["registered_by"])
        return row


def is_of(record: VersionRecord, registration: Registration) -> bool:
    """Whether AWS's record of a version is what the portal made for a registration."""
    account = registration.group.account
    is_ours = _made_by_portal(account, record) if account.role_arn else True
    return is_ours and record.metadata.get(METADATA_KEY) == registration.public_id


def finish(*, number: int) -> Registration:
    """Mark a registration as done, with its version. Runs in the caller's operation."""
    row = Registration.objects.select_for_update(of=("self",)).get(number=number)
    row.state, row.error, row.finished_at = AskedState.DONE, "", row.finished_at or timezone.now()
    row.version = row.version or ModelVersion.objects.filter(arn=row.arn, group_id=row.group_id).order_by("-pk").first()
    row.save(update_fields=["state", "error", "finished_at", "version"])
    return row


def fail(*, number: int, error: str) -> None:
    """Mark a registration as failed, with the reason. Runs in the caller's operation; a retry may still finish it."""
    Registration.objects.filter(number=number).exclude(state=AskedState.DONE).update(
        state=AskedState.FAILED, error=error, finished_at=timezone.now()
    )


def _named_in(records: Collection[VersionRecord]) -> Q:
    named = [record.metadata.get(METADATA_KEY, "") for record in records]
    numbers = [int(name[4:]) for name in named if name[:4] == "REG-" and name[4:].isdecimal() and len(name) < 23]
    return Q(number__in=numbers, arn="") | Q(arn__in=[record.arn for record in records])


def _made_by_portal(account: AwsAccount, record: VersionRecord) -> bool:
    """Whether the account's own portal role made a version; without a role there is nothing to know it by."""
    return record.created_by is not None and is_session_of(record.created_by.arn, account.role_arn)


def _asked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored payload as it was before the portal's own metadata joined it."""
    metadata = {k: v for k, v in payload.get("CustomerMetadataProperties", {}).items() if k != METADATA_KEY}
    rest = {k: v for k, v in payload.items() if k != "CustomerMetadataProperties"}
    return {**rest, "CustomerMetadataProperties": metadata} if metadata else rest


def _checked(group: ModelGroup, new: NewVersion) -> dict[str, Any]:
    """Return the request AWS will be sent. Raises InvalidInput naming every field that is wrong."""
    errors = _bad_metadata(new.metadata) | _unsendable(new)
    bad_urls = [
        f"Container {number}: {problem}"
        for number, container in enumerate(new.containers, 1)
        if container.model_data_url and (problem := _bad_url(container.model_data_url))
    ]
    if bad_urls or not new.containers:
        errors["containers"] = bad_urls or ["A version has at least one container."]
    problems, card_text = _card(group, new.card) if new.card is not None else ([], None)
    if problems:
        errors["card"] = problems
    request = registering.version_request(
        description=new.description,
        containers=new.containers,
        content_types=new.content_types,
        response_types=new.response_types,
        metadata=new.metadata,
        card_content=card_text,
        life_cycle=BEGINNING,
        metrics=new.metric_sources,
        drift_baselines=new.drift_baselines,
        source_uri=new.source_uri,
        generated_by=new.training_job,
        skip_validation=new.skip_validation,
    )
    try:
        accounts.reach(group.account, group.region)
    except AwsError as error:
        raise WrongState(str(error)) from error
    for problem in registering.version_problems(request):
        named = next((field for name, field in _FIELDS.items() if name in problem), "group")
        errors.setdefault(named, []).append(f"{problem}.")
    if errors:
        raise InvalidInput("This version cannot be registered as it is.", errors=errors)
    return request


def _bad_metadata(metadata: Mapping[str, str]) -> dict[str, list[str]]:
    if METADATA_KEY in metadata:
        return {"metadata": [f"{METADATA_KEY} is the portal's own; leave it out."]}
    if len(metadata) > 49:
        return {"metadata": ["At most 49 entries: SageMaker takes 50, and one is the portal's."]}
    return {}


def _unsendable(new: NewVersion) -> dict[str, list[str]]:
    """Name what holds text or numbers that neither AWS nor the database could hold."""
    given = {
        "description": new.description,
        "metadata": new.metadata,
        "metric_sources": new.metric_sources,
        "drift_baselines": new.drift_baselines,
        "source_uri": new.source_uri,
        "training_job": new.training_job,
        "containers": [dict(container.environment) for container in new.containers],
    }
    return {
        name: ["It holds characters or numbers that cannot be sent."]
        for name, value in given.items()
        if not _is_sendable(value)
    }


def _is_sendable(value: Any) -> bool:
    try:
        return bool(json_safe(value) == value)
    except RecursionError:
        return False


def _bad_url(url: str) -> str:
    try:
        location = parse_s3_url(url)
    except MalformedS3Url as error:
        return str(error)
    if location.url.endswith("/") and not url.startswith("s3://"):
        return "A prefix is written as s3://bucket/prefix/."
    return ""


def _card(group: ModelGroup, card: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return what is wrong with a card, and its JSON text."""
    if not _is_sendable(card):
        return ["It holds characters or numbers that cannot be sent, or is nested too deeply."], None
    try:
        text = json.dumps(card, ensure_ascii=False, allow_nan=False)
        facts = cards.read(text)
    except (ValueError, RecursionError):
        return ["It is nested too deeply or holds numbers that JSON does not have."], None
    problems = list(facts.problems)
    if not problems and (unknown := _unknown_use_case(group, facts.use_case_id)):
        problems.append(unknown)
    return problems, text


def _unknown_use_case(group: ModelGroup, named: str) -> str:
    """Say that the use case a card names is none of the group's project's, "" when it is or none is named."""
    if not named:
        return ""
    match = _USE_CASE.fullmatch(named.strip())
    if (
        match
        and group.project_id
        and UseCase.objects.filter(number=int(match[1]), project_id=group.project_id).exists()
    ):
        return ""
    return f"additional_information.custom_details.UseCaseId: this group's project has no use case {named[:60]!r}."
