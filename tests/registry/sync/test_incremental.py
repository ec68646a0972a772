"""The incremental pass: by Search, what lists and events do not tell; and the rule for what is gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from governance.models import Finding, StageEvent
from governance.services import sync
from registry.choices import SyncHealth
from registry.models import AwsAccount, ModelVersion, SyncRun
from registry.selectors import sync_health
from registry.services import sync_runs
from tests import aws_story
from tests.aws_story import HUB
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between its own retries."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *a, **k: 0)


def changes() -> SyncRun:
    (run,) = sync.sync_changes(account_id=HUB)
    return run


def test_without_a_full_pass_the_first_is_one(aws: Sandbox, place: Place) -> None:
    assert changes().kind == "full"
    assert changes().kind == "incremental"


def test_a_changed_card_that_no_list_tells_is_found_by_one_search(aws: Sandbox, place: Place) -> None:
    arn = aws_story.register(aws_story.new_group())
    aws_story.synced()
    before = aws_story.known(arn)
    text = json.dumps({"intended_uses": {"purpose_of_model": "Something else"}})
    aws_story.session(HUB).sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelCard={"ModelCardContent": text, "ModelCardStatus": "Draft"},
        CustomerMetadataProperties={"validation_auc": "0.5"},
    )
    assert aws_story.synced().updated == 0, "a list does not tell it"
    aws.forget()
    run = changes()
    assert (run.kind, run.state, run.updated) == ("incremental", "succeeded", 1)
    after = aws_story.known(arn)
    assert after.purpose == "Something else"
    assert after.content_digest != before.content_digest
    assert [call["operation"] for call in aws.calls(service="sagemaker")] == ["Search"] * run.pages
    assert run.lag_seconds is not None
    assert 0 <= run.lag_seconds < 60
    again = changes()
    assert (again.created, again.updated, again.lag_seconds) == (0, 0, None)
    assert again.unchanged >= 1, "windows overlap"


def test_a_new_version_in_a_new_group_is_found_too(aws: Sandbox, place: Place) -> None:
    aws_story.synced()
    arn = aws_story.register(aws_story.new_group())
    run = changes()
    assert run.created >= 1
    version = aws_story.known(arn)
    assert (version.stage, version.status) == ("development", "pending")
    assert StageEvent.objects.filter(version=version).count() == 1


def test_a_search_that_fails_is_searched_again_from_where_it_began(aws: Sandbox, place: Place) -> None:
    aws_story.synced()
    arn = aws_story.register(aws_story.new_group())
    aws.fault(service="sagemaker", operation="Search", error="ThrottlingException", times=None)
    failed = changes()
    assert failed.state == "failed"
    assert failed.throttles > 0
    assert not ModelVersion.objects.filter(arn=arn).exists()
    aws.forget()
    run = changes()
    assert run.since == failed.since, "a failed search moves no window"
    assert aws_story.known(arn).status == "pending"


def test_a_throttled_pass_takes_nothing_for_missing_and_the_next_one_does(aws: Sandbox, place: Place) -> None:
    arn = aws_story.register(aws_story.new_group())
    aws_story.synced()
    aws_story.session(HUB).sagemaker.delete_model_package(ModelPackageName=arn)
    aws.fault(service="sagemaker", operation="ListModelPackages", error="ThrottlingException", times=1)
    throttled = aws_story.synced()
    assert (throttled.state, throttled.missing) == ("succeeded", 0)
    assert throttled.throttles == 1
    assert aws_story.known(arn).missing_since is None
    assert aws_story.synced().missing == 1
    assert aws_story.known(arn).missing_since is not None


def test_what_a_list_left_out_is_asked_for_by_name_before_it_is_missing(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is short for whatever reason makes nothing missing that AWS still describes."""
    arn = aws_story.register(aws_story.new_group())
    aws_story.synced()
    monkeypatch.setattr("registry.sync.run.sagemaker.list_versions", lambda session, group: iter(()))
    run = aws_story.synced()
    assert run.missing == 0
    assert aws_story.known(arn).missing_since is None
    assert not Finding.objects.standing().filter(kind="missing_in_aws", version__arn=arn).exists()


def test_a_version_whose_group_vanished_is_missing_and_so_is_the_group(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    arn = aws_story.register(group)
    aws_story.synced()
    client = aws_story.session(HUB).sagemaker
    client.delete_model_package(ModelPackageName=arn)
    client.delete_model_package_group(ModelPackageGroupName=group.rsplit("/", 1)[1])
    assert aws_story.synced().missing == 1
    assert aws_story.known(arn).group.missing_since is not None


def test_an_arn_that_came_back_is_another_version_and_the_old_one_is_missing(aws: Sandbox, place: Place) -> None:
    arn = aws_story.register(aws_story.new_group())
    aws_story.synced()
    old = aws_story.known(arn)
    ModelVersion.objects.filter(pk=old.pk).update(aws_created_at=old.aws_created_at - timedelta(days=1))
    run = aws_story.synced()
    assert (run.created, run.missing) == (1, 1)
    assert ModelVersion.objects.get(pk=old.pk).missing_since is not None
    assert ModelVersion.objects.present().get(arn=arn).pk != old.pk


def test_nothing_is_said_about_a_disabled_account(aws: Sandbox, place: Place) -> None:
    account = AwsAccount.objects.get(account_id=HUB)
    account.is_enabled = False
    assert {one.state for one in sync_health.health_of(account)} == {SyncHealth.DISABLED}


def test_the_health_of_a_region_follows_its_passes(aws: Sandbox, place: Place) -> None:
    account = AwsAccount.objects.get(account_id=HUB)

    def state() -> SyncHealth:
        (one,) = sync_health.health_of(account)
        return one.state

    assert state() == SyncHealth.NEVER
    aws_story.synced()
    assert state() == SyncHealth.HEALTHY
    SyncRun.objects.update(started_at=timezone.now() - timedelta(hours=1))
    assert state() == SyncHealth.LATE
    aws.fault(service="sagemaker", operation="Search", error="AccessDeniedException", times=None)
    changes()
    changes()
    (one,) = sync_health.health_of(account)
    assert (one.state, one.failing) == (SyncHealth.FAILING, 2)
    assert "Search" in one.error
    aws.forget()
    changes()
    assert state() == SyncHealth.HEALTHY


def test_rows_nobody_reads_go_and_what_the_next_search_needs_stays(place: Place) -> None:
    hub = AwsAccount.objects.get(account_id=HUB)

    def row(days: int, **values: object) -> int:
        made = SyncRun.objects.create(
            account=hub,
            region="us-east-1",
            requested_by="test",
            **{"kind": "incremental", "state": "succeeded"} | values,
        )
        SyncRun.objects.filter(pk=made.pk).update(started_at=timezone.now() - timedelta(days=days))
        return made.pk

    newest_full = row(200, kind="full")
    row(201, kind="full")
    row(3)
    brought = row(3, updated=1)
    failed = row(3, state="failed", error="no")
    row(100, state="failed", error="no")
    newest = row(1)
    assert sync_runs.prune() == 3
    assert set(SyncRun.objects.values_list("pk", flat=True)) == {newest_full, brought, failed, newest}
