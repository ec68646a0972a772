"""My work: what waits on one person, what he asked for, what blocks him, and how the portal runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from governance.models import ApprovalRequest, StageRecord
from governance.selectors import inbox
from governance.selectors import operations as governance_operations
from governance.selectors.inbox import Tab
from governance.services import lifecycle
from governance.web.wording import name_of, request_url, url_of, waiting_words
from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere
from portal.core.templatetags.wording import relative_words
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import DeploymentState, DraftStep
from registry.models import Deployment, ModelGroup, ModelVersion, UseCase
from registry.selectors import classifications, sync_health, use_case_drafts
from registry.selectors import operations as registry_operations
from registry.selectors.scope import where_may

# A home page shows the first of each; the list behind it has all.
_MOST = 5


@dataclass(frozen=True)
class Task:
    """One thing this person could do next: what, why, where; `due` when somebody waits for it."""

    title: str
    text: str
    url: str
    icon: str
    tone: str = "live"
    due: datetime | None = None
    is_overdue: bool = False


def decisions(actor: Actor) -> list[Task]:
    """Return the requests that wait for this person's decision, the most urgent first."""
    return [
        Task(
            title=f"Decide on {name_of(request.subject)}",
            text=f"{request.public_id}: {Stage(request.stage).label}"
            + (f" to {Stage(request.to_stage).label}" if request.to_stage else "")
            + f", asked by {request.requester}.",
            url=request_url(request),
            icon="inbox",
            tone="wait",
            due=request.due_at,
            is_overdue=inbox.is_overdue(request),
        )
        for request in inbox.queue(actor, Tab.MINE)[:_MOST]
    ]


def chores(actor: Actor) -> list[Task]:
    """Return what else this person's roles could do now, each kind with its first few."""
    return [
        *_to_finish(actor),
        *_to_classify(actor),
        *_to_deploy(actor),
        *_to_measure(actor),
        *_to_submit(actor),
        *_to_claim(actor),
    ]


def asked(actor: Actor) -> list[dict[str, Any]]:
    """Return what this person asked for and where it stands, newest first."""
    return [
        {
            "request": request,
            "name": name_of(request.subject),
            "url": request_url(request),
            "waiting": waiting_words(request),
            "is_overdue": inbox.is_overdue(request),
            "answer": next((one for one in request.decisions.all() if one.verdict != "approve"), None),
        }
        for request in inbox.queue(actor, Tab.ASKED)[:_MOST]
    ]


def blocked(actor: Actor) -> list[dict[str, Any]]:
    """Return the use cases this person works on that cannot go on, with everything that keeps them."""
    rows = (
        UseCase.objects.visible_to(actor)
        .active()
        .filter(where_may(actor, Act.SUBMIT, "project_id"))
        .filter(Q(status=Status.APPROVED) | Q(stage=Stage.POC, risk_class=RiskClass.UNCLASSIFIED))
        .exclude(stage=Stage.PRODUCTION)
        .order_by("number")
    )
    found = [
        {"use_case": use_case, "url": url_of(use_case), "blockers": lifecycle.blockers(use_case)}
        for use_case in rows[:_MOST]
    ]
    return [row for row in found if row["blockers"]]


def running(actor: Actor) -> dict[str, Any] | None:
    """Return how accounts, outbox and findings stand, for those who operate or oversee; None for others."""
    if not may_anywhere(actor, Act.SEE_OPERATIONS):
        return None
    outbox = governance_operations.outbox_counts(actor)
    accounts = list(registry_operations.accounts(actor))
    health = sync_health.health(accounts)
    return {
        "accounts": [
            {
                "account": account,
                "state": sync_health.worst(health[account.pk]),
                "known_as_of": sync_health.oldest(health[account.pk]),
            }
            for account in accounts
        ],
        "pending": outbox.get("pending", 0),
        "failed": outbox.get("failed", 0),
        "findings": sum(governance_operations.standing_by_severity(actor).values()),
    }


def _to_finish(actor: Actor) -> list[Task]:
    return [
        Task(
            f"Finish registering {draft.name or 'a use case without a name yet'}",
            f"Your draft, saved {relative_words(draft.saved_at, timezone.now())}. Only you see it.",
            reverse("governance:use_case_draft", args=[draft.pk, DraftStep.PURPOSE.value]),
            "pencil",
            "mute",
        )
        for draft in use_case_drafts.mine(actor)[:_MOST]
    ]


def _to_classify(actor: Actor) -> list[Task]:
    answered = [row.use_case for row in classifications.to_confirm(actor)[:_MOST]]
    here = UseCase.objects.visible_to(actor).active().filter(where_may(actor, Act.CLASSIFY_USE_CASE, "project_id"))
    told = [case.pk for case in answered]
    unclassified = here.filter(risk_class=RiskClass.UNCLASSIFIED).exclude(pk__in=told).order_by("number")[:_MOST]
    return [
        *(
            _classify(case, f"Confirm the AI Act class of {case.public_id}", f"Answers for {case.name} wait for you.")
            for case in answered
        ),
        *(
            _classify(case, f"Classify the risk of {case.public_id}", f"{case.name} cannot leave POC before.")
            for case in unclassified
        ),
    ]


def _classify(use_case: UseCase, title: str, text: str) -> Task:
    return Task(title, text, reverse("registry:use_case_ai_act", args=[use_case.number]), "scale", "warn")


def _to_deploy(actor: Actor) -> list[Task]:
    open_states = (DeploymentState.ORDERED, DeploymentState.IN_PROGRESS, DeploymentState.FAILED)
    rows = (
        Deployment.objects.visible_to(actor)
        .filter(where_may(actor, Act.REPORT_DEPLOYMENT, "version__group__project_id"), state__in=open_states)
        .exclude(version__stage=Stage.RETIRED)
        .select_related("version__group", "account")
        .order_by("ordered_at", "pk")
    )
    return [
        Task(
            f"Report the deployment of {deployment.version.name}",
            f"{deployment.mode.capitalize()} deployment to {deployment.account} for {Stage(deployment.stage).label},"
            f" {DeploymentState(deployment.state).label.lower()}.",
            reverse("governance:deployment_report", args=[deployment.pk]),
            "rocket",
            "bad" if deployment.state == DeploymentState.FAILED else "live",
        )
        for deployment in rows[:_MOST]
    ]


def _to_measure(actor: Actor) -> list[Task]:
    rows = (
        StageRecord.objects.visible_to(actor)
        .filter(
            where_may(actor, Act.REPORT_METRICS, "version__group__project_id"),
            status=Status.PENDING,
            validation_metrics=None,
        )
        .select_related("version__group", "account")
        .order_by("pk")
    )
    return [
        Task(
            f"Report test results of {record.version.name}",
            f"Validation metrics in {Stage(record.stage).label}"
            f"{f' ({record.account.alias})' if record.account else ''} are not reported.",
            reverse("governance:metrics_report", args=[record.pk]),
            "chart-line",
        )
        for record in rows[:_MOST]
    ]


def _to_submit(actor: Actor) -> list[Task]:
    open_requests = ApprovalRequest.objects.open()
    waiting = (Status.PENDING, Status.REJECTED)
    versions = (
        ModelVersion.objects.visible_to(actor)
        .present()
        .filter(where_may(actor, Act.SUBMIT, "group__project_id"), status__in=waiting)
        .exclude(Exists(open_requests.filter(version=OuterRef("pk"))))
        .select_related("group")
        .order_by("-aws_created_at", "-pk")
    )
    use_cases: QuerySet[Any] = (
        UseCase.objects.visible_to(actor)
        .filter(where_may(actor, Act.SUBMIT, "project_id"), status__in=waiting)
        .exclude(Exists(open_requests.filter(use_case=OuterRef("pk"))))
        .exclude(stage=Stage.POC, risk_class=RiskClass.UNCLASSIFIED)
        .order_by("-number")
    )
    return [_submission(subject) for subject in [*use_cases[:_MOST], *versions[:_MOST]]]


def _submission(subject: UseCase | ModelVersion) -> Task:
    stage = Stage(subject.stage).label
    rejected = subject.status == Status.REJECTED
    return Task(
        f"{'Rework' if rejected else 'Submit'} {name_of(subject)}",
        f"It was rejected and waits in {stage}." if rejected else f"Pending in {stage}; nobody has asked for approval.",
        url_of(subject),
        "edit" if rejected else "send",
        "bad" if rejected else "live",
    )


def _to_claim(actor: Actor) -> list[Task]:
    if not may_anywhere(actor, Act.EDIT_GROUP):
        return []
    rows = ModelGroup.objects.visible_to(actor).unlinked().filter(missing_since=None).order_by("name", "pk")
    return [
        Task(
            f"Claim the model group {group.name}",
            "It belongs to no project, so hardly anybody sees it.",
            reverse("registry:group_edit", args=[group.pk]),
            "link",
            "warn",
        )
        for group in rows[:_MOST]
    ]
