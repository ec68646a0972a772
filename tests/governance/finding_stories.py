"""How each kind of finding comes about and goes away again, by the services that bring it about in production."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from governance.choices import FindingKind, MetricKind, OutboxKind, OutboxState
from governance.models import Finding, OutboxMessage, StageRecord
from governance.policies.facts import MetricRule, Operator
from governance.selectors import policy as policy_selectors
from governance.selectors.disagreements import RULES
from governance.services import approvals, deployments, intake, metrics, policies, readings, review
from portal.core.operations import operation
from portal.core.vocabulary import RiskRating, Stage, Status, SubjectKind
from registry.aws.records import LifeCycle, VersionRecord
from registry.choices import DeploymentMode, DeploymentState
from registry.models import Deployment, ModelGroup, ModelVersion, UseCase
from registry.services import groups, reports, versions
from tests.factories import at_stage, group, use_case, version_record
from tests.factories.people import SYSTEM
from tests.factories.records import card
from tests.factories.walk import approve_once
from tests.registry.reports.objects import Bucket

from .conftest import Place


@dataclass
class Story:
    """One disagreement: it comes about, shows itself differently, and is mended. `told` is False where it only shows
    once what it is. `now` is the moment reviews judge by; it only goes on.
    """

    place: Place
    now: datetime = field(default_factory=timezone.now)
    kind: FindingKind | None = None
    told = True

    def cause(self) -> None:
        """Bring it about."""
        raise NotImplementedError

    def change(self) -> None:
        """Have it show itself differently."""

    def mend(self) -> None:
        """Have reality agree again."""
        raise NotImplementedError

    def look(self, *, at_everything: bool = False) -> review.Reviewed:
        """Have the portal look, a moment later; where the story has its kind, at that alone unless told otherwise."""
        self.now += timedelta(seconds=1)
        kinds = [kind for kind in RULES if at_everything or self.kind in (None, kind)]
        return review.review_all(actor=SYSTEM, now=self.now, kinds=kinds)


class OfVersion(Story):
    """One about a version, taken in as AWS describes it."""

    record: VersionRecord
    version: ModelVersion

    def begin(self, **values: Any) -> None:
        """Take a new version in."""
        values.setdefault("card_content", card(risk="Low"))
        self.record = version_record(group(self.place.project, self.place.people).arn, **values)
        self.take()

    def take(self, **values: Any) -> None:
        """Have AWS describe it with these differences."""
        self.record = replace(self.record, **values)
        with operation(SYSTEM):
            of = ModelGroup.objects.get(arn=self.record.group_arn)
            change = versions.take_in(actor=SYSTEM, group=of, record=self.record)
            intake.absorb_version(SYSTEM, change)
        self.version = ModelVersion.objects.get(pk=change.version.pk)

    def messages(self, **values: Any) -> None:
        """Have the worker leave the version's write-backs like this."""
        OutboxMessage.objects.filter(version=self.version, kind=OutboxKind.WRITE_BACK).update(**values)

    def deployments(self, **values: Any) -> None:
        """Have the version's deployments be like this, however they came to be."""
        Deployment.objects.filter(version=self.version).update(**values)


class ApprovedOutside(OfVersion):
    def cause(self) -> None:
        self.begin()
        self.take(approval_status="Approved", approval_description="Looks good.")

    def change(self) -> None:
        self.take(approval_description="Looks even better.")

    def mend(self) -> None:
        self.take(approval_status="PendingManualApproval")


class RejectedOutside(ApprovedOutside):
    def cause(self) -> None:
        self.begin()
        self.take(approval_status="Rejected", approval_description="Too slow.")


class Reverted(ApprovedOutside):
    def cause(self) -> None:
        self.begin()
        approve_once(self.place.people, self.version)
        self.messages(state=OutboxState.DELIVERED, delivered_at=timezone.now() - timedelta(minutes=2))
        self.take(approval_status="Rejected", life_cycle=LifeCycle("Development", "Approved"))

    def mend(self) -> None:
        self.take(approval_status="Approved")


class LifecycleChanged(ApprovedOutside):
    def cause(self) -> None:
        self.begin()
        self.take(life_cycle=LifeCycle("Production", "Approved"))

    def mend(self) -> None:
        self.take(life_cycle=LifeCycle("Development", "InProgress"))


class WriteBackPending(OfVersion):
    def cause(self) -> None:
        self.begin()
        approve_once(self.place.people, self.version)
        self.now += timedelta(minutes=16)

    def change(self) -> None:
        self.messages(last_error="ThrottlingException")

    def mend(self) -> None:
        self.messages(state=OutboxState.DELIVERED, delivered_at=timezone.now())


class WriteBackFailed(OfVersion):
    told = False

    def cause(self) -> None:
        self.begin()
        approve_once(self.place.people, self.version)
        self.messages(state=OutboxState.FAILED, last_error="AccessDenied", attempts=3)

    def mend(self) -> None:
        self.messages(state=OutboxState.DELIVERED, delivered_at=timezone.now())


class ContentChanged(OfVersion):
    def cause(self) -> None:
        self.begin(metadata={"validation_auc": "0.78"})
        at_stage(self.place.people, self.version, Stage.QA)
        self.take(metadata={"validation_auc": "0.50"})

    def change(self) -> None:
        approvals_of_qa = StageRecord.objects.filter(version=self.version, stage=Stage.DEVELOPMENT)
        assert approvals_of_qa.exclude(outdated_at=None).exists()

    def mend(self) -> None:
        self.take(metadata={"validation_auc": "0.78"})

    told = False


class RunningUnapproved(OfVersion):
    def cause(self) -> None:
        self.begin()
        at_stage(self.place.people, self.version, Stage.QA)
        self.deployments(state=DeploymentState.DEPLOYED, mode=DeploymentMode.LIVE, endpoint="live")

    def change(self) -> None:
        self.deployments(endpoint="elsewhere")

    def mend(self) -> None:
        self.deployments(state=DeploymentState.REPLACED)


class RunningRejected(OfVersion):
    def cause(self) -> None:
        self.begin()
        at_stage(self.place.people, self.version, Stage.QA)
        ordered = Deployment.objects.get(version=self.version)
        deployments.report(
            actor=self.place.people.engineer.actor, deployment_id=ordered.pk, state=DeploymentState.DEPLOYED
        )
        at_stage(self.place.people, self.version, Stage.QA, Status.REJECTED)

    def change(self) -> None:
        self.deployments(endpoint="elsewhere")

    def mend(self) -> None:
        approvals.submit(actor=self.place.people.scientist.actor, subject_type=ModelVersion, subject_id=self.version.pk)


class ApprovedNotDeployed(OfVersion):
    def cause(self) -> None:
        self.begin()
        at_stage(self.place.people, self.version, Stage.PRODUCTION, Status.APPROVED)
        self.now += timedelta(days=8)

    def change(self) -> None:
        self.deployments(state=DeploymentState.FAILED)

    def mend(self) -> None:
        for ordered in Deployment.objects.filter(version=self.version, stage=Stage.PRODUCTION):
            deployments.report(
                actor=self.place.people.engineer.actor, deployment_id=ordered.pk, state=DeploymentState.DEPLOYED
            )


class MissingInAws(OfVersion):
    told = False

    def cause(self) -> None:
        self.begin()
        with operation(SYSTEM):
            intake.absorb_missing(SYSTEM, versions.mark_missing(actor=SYSTEM, version_ids=[self.version.pk]))

    def mend(self) -> None:
        self.take()


class GroupUnlinked(Story):
    told = False

    def cause(self) -> None:
        self.group = group(None)

    def mend(self) -> None:
        groups.edit(
            actor=self.place.people.engineer.actor,
            group_id=self.group.pk,
            revision=ModelGroup.objects.get(pk=self.group.pk).revision,
            project=self.place.project,
            owner=None,
            use_cases=[],
        )


class ReviewOverdue(Story):
    def cause(self) -> None:
        self.use_case = use_case(self.place.people, self.place.project)
        self._due(1)

    def change(self) -> None:
        self._due(2)

    def mend(self) -> None:
        self._due(-365)

    def _due(self, days_ago: int) -> None:
        due = timezone.localdate() - timedelta(days=days_ago)
        UseCase.objects.filter(pk=self.use_case.pk).update(next_review_on=due)


class MetricBreached(OfVersion):
    def cause(self) -> None:
        watch(self.place)
        self.begin()
        at_stage(self.place.people, self.version, Stage.QA)
        self.report(0.2)

    def change(self) -> None:
        self.report(0.3)

    def mend(self) -> None:
        self.report(0.05)

    def report(self, drift: float) -> None:
        """Report this much drift from QA."""
        record = StageRecord.objects.get(version=self.version, stage=Stage.QA)
        metrics.report(
            actor=self.place.people.engineer.actor,
            record_id=record.pk,
            kind=MetricKind.MONITORING,
            metrics={"drift": drift},
        )


class ReportUnreadable(OfVersion):
    def cause(self) -> None:
        self.bucket = Bucket()
        self.begin(metrics={"Bias": {"Report": {"S3Uri": "s3://hub/analysis.json"}}})
        self.read()

    def change(self) -> None:
        self.bucket.refusals["analysis.json"] = "AccessDenied"
        self.read()

    def mend(self) -> None:
        self.bucket.refusals.clear()
        self.bucket.objects["analysis.json"] = b'{"pre_training_bias_metrics": {"facets": {}}}'
        self.read()

    def read(self) -> None:
        """Have the portal look at the report in S3."""
        reports.read_version(SYSTEM, self.version, self.bucket, readings.Tally())  # type: ignore[arg-type]


class Described(OfVersion):
    """One that a description of the version tells, and nothing else: a look is another description."""

    wrong: dict[str, Any]
    otherwise: dict[str, Any]

    def cause(self) -> None:
        self.begin()
        self.take(**self.wrong)

    def change(self) -> None:
        self.take(**self.otherwise)

    def mend(self) -> None:
        self.take(card_content=card(risk="Low"), metadata={"validation_auc": "0.78"})


class CardMissing(Described):
    wrong = {"card_content": None}
    otherwise = wrong
    told = False


class CardInvalid(Described):
    wrong = {"card_content": "{"}
    otherwise = {"card_content": '{"intended_uses": {"risk_rating": "Enormous"}}'}


class MetadataInvalid(Described):
    wrong = {"metadata": {"validation_auc": "high"}}
    otherwise = {"metadata": {"validation_f1": "low"}}


class UseCaseUnknown(Described):
    wrong = {"card_content": card("UC-9998")}
    otherwise = {"card_content": card("UC-9999")}


STORIES: dict[FindingKind, Callable[[Place], Story]] = {
    FindingKind.APPROVED_OUTSIDE: ApprovedOutside,
    FindingKind.REJECTED_OUTSIDE: RejectedOutside,
    FindingKind.REVERTED: Reverted,
    FindingKind.LIFECYCLE_CHANGED: LifecycleChanged,
    FindingKind.WRITE_BACK_PENDING: WriteBackPending,
    FindingKind.WRITE_BACK_FAILED: WriteBackFailed,
    FindingKind.CONTENT_CHANGED: ContentChanged,
    FindingKind.RUNNING_UNAPPROVED: RunningUnapproved,
    FindingKind.RUNNING_REJECTED: RunningRejected,
    FindingKind.APPROVED_NOT_DEPLOYED: ApprovedNotDeployed,
    FindingKind.MISSING_IN_AWS: MissingInAws,
    FindingKind.GROUP_UNLINKED: GroupUnlinked,
    FindingKind.REVIEW_OVERDUE: ReviewOverdue,
    FindingKind.METRIC_BREACHED: MetricBreached,
    FindingKind.REPORT_UNREADABLE: ReportUnreadable,
    FindingKind.CARD_MISSING: CardMissing,
    FindingKind.CARD_INVALID: CardInvalid,
    FindingKind.METADATA_INVALID: MetadataInvalid,
    FindingKind.USE_CASE_UNKNOWN: UseCaseUnknown,
}


def watch(place: Place) -> None:
    """Publish a policy that asks every version in QA for little drift."""
    admin = place.people.admin.actor
    draft = policies.draft(actor=admin, note="Watch drift.")
    asked = MetricRule("drift", Operator.AT_MOST, 0.1, kind=MetricKind.MONITORING)
    for rule in policy_selectors.rules_of(draft):
        if (rule.kind, rule.stage, rule.tier) == (SubjectKind.MODEL_VERSION, Stage.QA, RiskRating.LOW):
            draft = policies.set_rule(
                actor=admin,
                policy_id=draft.pk,
                revision=draft.revision,
                rule=replace(rule, metrics=(*rule.metrics, asked)),
            )
    policies.publish(actor=admin, policy_id=draft.pk, revision=draft.revision)


def found(kind: FindingKind) -> list[Finding]:
    """Return every finding of a kind, oldest first."""
    return list(Finding.objects.filter(kind=kind).order_by("pk"))
