"""Which versions SageMaker says something else about than the portal, and the facts the verdict on each rests on.

SQL fetches who may disagree, `policies.out_of_band` judges; no AWS is read here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from portal.core.vocabulary import Stage
from registry.aws.arns import role_of_session
from registry.aws.records import Identity
from registry.aws.session import SESSION_NAME
from registry.choices import SyncKind, SyncState
from registry.models import AwsIdentity, ModelVersion, SyncRun
from registry.selectors.catalogue import HEAVY

from ..choices import Agreement, FindingKind, OutboxKind, OutboxState, OutsideOutcome, OutsideResponse, Severity
from ..models import OutboxMessage, OutsideChange, StageRecord
from ..policies.out_of_band import PENDING, UNCLAIMED_STAGES, UNCLAIMED_STATUSES, Facts, Judgement, Said, Word, judge
from ..policies.principals import Linked, Principal, identify
from . import policy as policies
from .observed import Observation, Seen, key_of

Only = Collection[int] | None
Key = tuple[int, datetime]

KIND_OF: dict[Agreement, FindingKind] = {
    Agreement.APPROVED_OUTSIDE: FindingKind.APPROVED_OUTSIDE,
    Agreement.REJECTED_OUTSIDE: FindingKind.REJECTED_OUTSIDE,
    Agreement.REVERTED: FindingKind.REVERTED,
    Agreement.LIFECYCLE_CHANGED: FindingKind.LIFECYCLE_CHANGED,
}
OUTSIDE_KINDS = tuple(KIND_OF.values())
# The portal does not fight: after so many write-backs within this time it only reports.
MOST_WRITE_BACKS = 3
WAR = timedelta(hours=24)
# What a person can do about it, by verdict.
_NEXT = {
    Agreement.APPROVED_OUTSIDE: "Decide about it in the portal, or take the approval back in SageMaker.",
    Agreement.REJECTED_OUTSIDE: "Decide about it in the portal, or take the rejection back in SageMaker.",
    Agreement.REVERTED: "Ask who changed it why; then set it back in SageMaker, or decide anew in the portal.",
    Agreement.LIFECYCLE_CHANGED: "Decide about that stage in the portal, or set the stage back in SageMaker.",
}


@dataclass(frozen=True)
class Judged:
    """A version, the facts about it, the verdict, and what the portal did about this change if it did already."""

    version: ModelVersion
    facts: Facts
    judgement: Judgement
    change: OutsideChange | None = None

    @property
    def is_unanswered(self) -> bool:
        """Whether somebody changed it past the portal, which has not answered yet."""
        return self.judgement.is_outside and self.change is None


def judged(only: Only = None) -> list[Judged]:
    """Return every version that may disagree, judged; a fixed number of queries, two where nothing disagrees."""
    versions = _candidates(only)
    return judge_all(versions) if versions else []


def judgement_of(version: ModelVersion) -> Judgement:
    """Return how one version stands."""
    return judge_all([version])[0].judgement


def seen(now: datetime, only: Only = None) -> dict[FindingKind, Seen]:
    """Return what there is to find of the kinds told here, each with its words and what the portal did about it."""
    holds: dict[FindingKind, list[Observation]] = {kind: [] for kind in OUTSIDE_KINDS}
    unsure = set()
    for one in judged(only):
        if one.judgement.is_outside:
            holds[KIND_OF[one.judgement.verdict]].append(observation(one))
        elif one.judgement.verdict in (Agreement.WRITE_BACK_PENDING, Agreement.WRITE_BACK_FAILED):
            # The portal's own word is on its way, or AWS was not read since it arrived.
            unsure.add(key_of(one.version))
    return {kind: Seen(tuple(found), frozenset(unsure)) for kind, found in holds.items()}


def written_back_lately(version: ModelVersion, now: datetime) -> int:
    """Count how often the portal's word was written back to a version within the time that makes a war."""
    rows = OutsideChange.objects.filter(version=version, outcome=OutsideOutcome.WRITTEN_BACK, at__gt=now - WAR)
    return rows.count()


def changes_of(version: ModelVersion, limit: int = 20) -> list[OutsideChange]:
    """Return the changes of a version made outside the portal that it noticed, newest first."""
    rows = OutsideChange.objects.filter(version=version).select_related("person", "policy", "decision")
    return list(rows.order_by("-pk")[:limit])


def last_words(version_ids: Collection[int]) -> dict[int, OutboxMessage]:
    """Return the last write-back ordered for each of these versions."""
    rows = OutboxMessage.objects.filter(kind=OutboxKind.WRITE_BACK, version__in=version_ids)
    return {row.version_id: row for row in rows.order_by("version_id", "-pk").distinct("version_id") if row.version_id}


def _candidates(only: Only) -> list[ModelVersion]:
    """Return the versions AWS lists that do not say what the portal said last, or what nobody need have said."""
    newer = OutboxMessage.objects.filter(version=OuterRef("version"), kind=OutboxKind.WRITE_BACK, pk__gt=OuterRef("pk"))
    words = OutboxMessage.objects.filter(kind=OutboxKind.WRITE_BACK, version__missing_since=None)
    if only is not None:
        words = words.filter(version__in=list(only))
    differing = (
        words.filter(~Exists(newer))
        .annotate(
            approval_status=KeyTextTransform("approval_status", "payload"),
            stage=KeyTextTransform("stage", "payload"),
            stage_status=KeyTextTransform("stage_status", "payload"),
        )
        .exclude(
            approval_status=F("version__aws_approval_status"),
            stage=F("version__aws_stage"),
            stage_status=F("version__aws_stage_status"),
        )
        .values("version")
    )
    spoken = OutboxMessage.objects.filter(version=OuterRef("pk"), kind=OutboxKind.WRITE_BACK)
    claiming = (
        ~Q(aws_approval_status=PENDING)
        | ~Q(aws_stage__in=UNCLAIMED_STAGES)
        | ~Q(aws_stage_status__in=UNCLAIMED_STATUSES)
    )
    rows: QuerySet[ModelVersion] = ModelVersion.objects.present().filter(
        Q(pk__in=differing) | (claiming & ~Exists(spoken))
    )
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    return list(rows.select_related("group__account").defer(*HEAVY).order_by("pk"))


def judge_all(versions: Sequence[ModelVersion]) -> list[Judged]:
    """Return how each of these versions stands, in a fixed number of queries."""
    ids = [version.pk for version in versions]
    words, listed, outdated = last_words(ids), _listed_at(versions), _outdated(ids)
    principals = _principals(versions)
    links = _links(principals.values())
    changes = _changes(ids)
    found = []
    for version in versions:
        account = version.group.account
        read = listed.get((account.pk, version.group.region))
        stages = outdated.get(version.pk, {})
        facts = Facts(
            name=version.name,
            aws=Said(version.aws_approval_status, version.aws_stage, version.aws_stage_status),
            modified_at=version.aws_modified_at,
            read_at=max(version.seen_at, read) if read else version.seen_at,
            by=identify(principals[version.pk], links, account.role_arn, SESSION_NAME),
            word=word_of(words.get(version.pk)),
            missing_since=version.missing_since,
            outdated=tuple(stage for stage in Stage if stage in stages),
            outdated_at=max(stages.values(), default=None),
        )
        change = changes.get((version.pk, version.aws_modified_at))
        found.append(Judged(version, facts, judge(facts), change))
    return found


def said_by(message: OutboxMessage) -> Said:
    """Return what a write-back wants SageMaker to say."""
    payload = message.payload
    return Said(payload["approval_status"], payload["stage"], payload["stage_status"])


def word_of(message: OutboxMessage | None) -> Word | None:
    """Return a write-back as the portal's word."""
    if message is None:
        return None
    return Word(
        said=said_by(message),
        ordered_at=message.created_at,
        delivered_at=message.delivered_at if message.state == OutboxState.DELIVERED else None,
        failed=message.state == OutboxState.FAILED,
    )


def principal_of(modifier_arn: str, context: Any) -> Principal:
    """Return who LastModifiedBy names: the UserContext as it was described, or else the ARN that was kept of it."""
    identity = Identity.from_user_context(context) if isinstance(context, dict) else None
    if identity is None or (identity.arn and identity.arn != modifier_arn):
        return Principal(modifier_arn)
    return Principal(identity.arn, identity.source_identity, identity.user_profile)


def _principals(versions: Iterable[ModelVersion]) -> dict[int, Principal]:
    rows = ModelVersion.objects.filter(pk__in=[version.pk for version in versions])
    told = rows.annotate(context=KeyTransform("LastModifiedBy", "described"))
    return {pk: principal_of(arn, context) for pk, arn, context in told.values_list("pk", "modifier_arn", "context")}


def _links(principals: Iterable[Principal]) -> Mapping[str, Linked]:
    arns = {arn for one in principals for arn in (one.arn, role_of_session(one.arn), one.user_profile) if arn}
    rows = AwsIdentity.objects.filter(arn__in=arns).select_related("user") if arns else ()
    return {row.arn: Linked(row.user_id, str(row.user)) for row in rows}


def _listed_at(versions: Iterable[ModelVersion]) -> dict[tuple[int, str], datetime]:
    """Return when each account and region was last listed completely."""
    accounts = {version.group.account_id for version in versions}
    runs = SyncRun.objects.filter(account__in=accounts, kind=SyncKind.FULL, state=SyncState.SUCCEEDED)
    rows = runs.values_list("account", "region").annotate(at=Max("started_at"))
    return {(account, region): at for account, region, at in rows}


def _outdated(ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    rows = StageRecord.objects.filter(version__in=ids, outdated_at__isnull=False, status__in=policies.STANDING)
    found: dict[int, dict[str, datetime]] = {}
    for version_id, stage, at in rows.values_list("version", "stage", "outdated_at"):
        if at is not None:
            found.setdefault(version_id, {})[stage] = at
    return found


def _changes(ids: Collection[int]) -> dict[Key, OutsideChange]:
    """Return what was done about the changes of these versions."""
    rows = OutsideChange.objects.filter(version__in=ids).select_related("policy", "decision__request")
    return {(row.version_id, row.aws_modified_at): row for row in rows}


def observation(one: Judged) -> Observation:
    """Return what a finding says of a version somebody changed past the portal."""
    version, facts, judgement, change = one.version, one.facts, one.judgement, one.change
    done = response_words(change) if change else ""
    wanted = facts.word.said if facts.word else Said()
    return Observation(
        version,
        " ".join(text for text in (judgement.words, done, _NEXT[judgement.verdict]) if text),
        {
            "verdict": judgement.verdict.value,
            "aws_approval_status": facts.aws.status,
            "aws_approval_description": version.aws_approval_description,
            "aws_lifecycle": facts.aws.life_cycle,
            "portal_says": wanted.status,
            "portal_lifecycle": wanted.life_cycle,
            "last_modified_by": version.modifier_arn,
            "last_modified_at": version.aws_modified_at.isoformat(),
            "person": facts.by.person.name if facts.by.person else None,
            "proof": facts.by.doubt or "It is proof that this person did it.",
            "done": change.outcome if change else None,
            "policy": change.policy.number if change else None,
        },
        severity=Severity.CRITICAL if change is not None and change.is_war else None,
    )


def response_words(change: OutsideChange) -> str:
    """Say what the portal did about a change and why not more."""
    policy = f"policy {change.policy.number}"
    if change.outcome == OutsideOutcome.ADOPTED and change.decision is not None:
        return f"It was adopted as {change.decision.decider_name}'s decision on {change.decision.request.public_id}."
    if change.outcome == OutsideOutcome.WRITTEN_BACK:
        return f"The portal's word was ordered to be written back, as {policy} asks."
    if change.response == OutsideResponse.ADOPT:
        return f"It was not adopted: {change.reason}"
    if change.response == OutsideResponse.WRITE_BACK:
        return f"It was not written back: {change.reason}"
    return f"It is only reported, as {policy} asks."
