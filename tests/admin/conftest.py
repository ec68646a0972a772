"""What the console's tests act on: the world of the API's tests, and a row in every table it leaves empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from governance.choices import MetricKind
from governance.models import (
    AuditPackDownload,
    NotificationDelivery,
    NotificationSettings,
    TokenTerms,
    WebhookAttempt,
    WebhookEvent,
)
from governance.services import callbacks, card_edits, metrics, out_of_band, use_case_reviews
from portal.core.operations import operation
from portal.core.vocabulary import Role, Stage
from portal.settings import base
from registry.choices import PreflightMethod
from registry.models import (
    AccountPreflight,
    ApiToken,
    EventQueueHealth,
    GroupPolicy,
    LabelingJob,
    PipelineExecution,
    PipelineRegistration,
    PipelineStep,
    ResourceShare,
    ShareInvitation,
    SharePrincipal,
    TrainingProvenance,
    UseCaseDocument,
    VersionLineage,
    VersionReport,
)
from registry.models.pipeline import RegisteredBy
from registry.reports.document import ReportProblem
from registry.reports.kinds import ReportKind
from registry.services import people, saved_views, tracking_servers
from tests.api.world import World, build
from tests.factories import version
from tests.factories.people import SYSTEM
from tests.scene import undone
from tests.web.conftest import again, signed_in


@pytest.fixture(scope="module")
def shared_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        world = build()
        complete(world)
        yield world


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """One of everything; what the test writes is undone."""
    return shared_world


@pytest.fixture(scope="module")
def sessions(shared_world: World) -> dict[str, Client]:
    """Everybody's client, signed in."""
    return signed_in(shared_world)


@pytest.fixture
def as_role(world: World, sessions: dict[str, Client]) -> Callable[[str], Client]:
    """Return a client of whoever plays a role, signed in."""
    return lambda role: again(sessions[role])


@pytest.fixture(autouse=True)
def password_rules(settings: Any) -> None:
    """The rules of production; the test settings have none."""
    settings.AUTH_PASSWORD_VALIDATORS = base.AUTH_PASSWORD_VALIDATORS


@pytest.fixture
def admin(as_role: Callable[[str], Client]) -> Client:
    """The ML admin's browser."""
    return as_role("ml_admin")


def complete(world: World) -> None:
    """Add what the API's world has no row of."""
    cast = world.people
    people.link_identity(actor=SYSTEM, user=cast.scientist, arn="arn:aws:iam::222222222222:role/scientist")
    tracking_servers.register(
        actor=SYSTEM, name="of one project", url="https://mlflow.example.com", projects=[world.project]
    )
    with operation(SYSTEM):
        ShareInvitation.objects.create(
            arn="arn:aws:ram:us-east-1:111111111111:resource-share-invitation/1",
            share_arn="arn:aws:ram:us-east-1:111111111111:resource-share/1",
            sender_account_id="111111111111",
            receiver=world.accounts["development"],
            status="PENDING",
            seen_at=timezone.now(),
        )
        SharePrincipal.objects.create(
            share=ResourceShare.objects.get(), principal="222222222222", status="ASSOCIATING", is_external=True
        )
        GroupPolicy.objects.create(group=world.group, document="{}", read_at=timezone.now())
        AccountPreflight.objects.create(
            account=world.accounts["hub"],
            region="us-east-1",
            method=PreflightMethod.SIMULATED,
            checked_at=timezone.now(),
        )
        EventQueueHealth.objects.create(account=world.accounts["hub"], reader="sweep")
        AuditPackDownload.objects.create(pack=world.pack, person=cast.auditor, person_name=cast.auditor.username)
        UseCaseDocument.objects.create(
            use_case=world.draft, kind="mitigation_strategies", text="Reviewed.", author=cast.scientist
        )
        readers = Group.objects.create(name="readers")
        cast.stranger.groups.add(readers)
        for holder in (cast.stranger, readers):
            assign_perm("view_usecase", holder, world.draft)
            assign_perm("view_modelgroup", holder, world.group)
        people.grant(actor=SYSTEM, role=Role.AUDITOR, to=readers, project=world.elsewhere)
    view = world.saved_view
    saved_views.open_with(actor=cast.scientist.actor, list_key=view.list_key, view_id=view.pk)
    NotificationSettings.objects.create(person=cast.officer)
    NotificationDelivery.objects.create(person=cast.officer, channel="email", notification=world.notification)
    WebhookAttempt.objects.create(delivery=world.webhook_delivery, number=1)
    WebhookEvent.objects.create(
        table="governance_stageevent", row_id=1, after={}, happened_at=timezone.now(), next_attempt_at=timezone.now()
    )
    TokenTerms.objects.create(token=ApiToken.objects.filter(terms=None)[0])
    use_case_reviews.record(
        actor=cast.officer.actor,
        use_case_id=world.asked.pk,
        revision=world.asked.revision,
        reviewed_on=timezone.localdate(),
        note="Nothing changed.",
        next_review_on=timezone.localdate() + timedelta(days=180),
    )
    callbacks.post(
        actor=cast.engineer.actor,
        model_package_arn=world.trial.arn,
        stage=Stage.PRE_PRODUCTION,
        account_id="333333333333",
        token="AbCdEf1234",
    )
    card_edits.create(actor=cast.scientist.actor, group_id=world.group.pk, name="card-on-its-way", content={})
    with operation(SYSTEM):
        labeled = LabelingJob.objects.create(
            account=world.accounts["development"],
            region="us-east-1",
            arn="arn:aws:sagemaker:us-east-1:222222222222:labeling-job/applications",
            name="applications",
            read_at=timezone.now(),
        )
        run = PipelineExecution.objects.create(
            arn="arn:aws:sagemaker:us-east-1:222222222222:pipeline/train/execution/abcdefghijkl",
            account=world.accounts["development"],
            region="us-east-1",
            pipeline="train",
            status="Succeeded",
            read_at=timezone.now(),
        )
        PipelineStep.objects.create(
            execution=run, position=1, name="Register", kind="RegisterModel", status="Succeeded"
        )
        PipelineRegistration.objects.create(execution=run, version=world.trial, source=RegisteredBy.STEP)
        VersionReport.objects.create(
            version=world.trial,
            kind=ReportKind.BIAS,
            address="s3://hub/clarify/bias/analysis.json",
            problem=ReportProblem.MISSING,
            read_at=timezone.now(),
        )
        VersionLineage.objects.create(version=world.trial, tried_at=timezone.now())
        TrainingProvenance.objects.create(version=world.trial, labeling=labeled, tried_at=timezone.now())
    approved = version(world.group, 90, approval_status="Approved")
    out_of_band.answer(actor=SYSTEM, version_id=approved.pk)
    metrics.report(
        actor=cast.scientist.actor, record_id=world.trial_record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 0.8}
    )


def row_of(label: str) -> Model:
    """Return one row of a table; a table without one fails."""
    model = apps.get_model(label)
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"no {label}: add one to complete()"
    return row


def key_of(row: Model) -> str:
    """Return what stands for a row in an address of the console."""
    return row.token_key if isinstance(row, ApiToken) else str(row.pk)
