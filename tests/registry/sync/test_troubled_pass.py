"""Passes in trouble: one thing AWS refuses, or that vanishes meanwhile, hides nothing else; a lost lock ends a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from governance.services import intake, sync
from portal.core.actors import Actor
from registry.aws.errors import AwsDenied, AwsError, AwsThrottled
from registry.aws.records import GroupRecord, VersionRecord, VersionSummary
from registry.aws.session import AwsSession
from registry.models import AwsAccount, ModelGroup, ModelVersion, SyncRun
from registry.services.versions import VersionChange
from registry.sync import describing, run, runs
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
REALLY_DESCRIBE, REALLY_LIST = run.sagemaker.describe_version, run.sagemaker.list_versions


def refusing(kind: type[AwsError]) -> AwsError:
    return kind(service="sagemaker", operation="Test", account_id=HUB, code="Refused", message="not for you")


def let_describe_fail(monkeypatch: pytest.MonkeyPatch, errors: dict[str, Exception]) -> None:
    def describe(session: AwsSession, arn: str) -> VersionRecord:
        if arn in errors:
            raise errors[arn]
        return REALLY_DESCRIBE(session, arn)

    monkeypatch.setattr(describing.sagemaker, "describe_version", describe)


@pytest.mark.parametrize("error", [refusing(AwsDenied), KeyError("ModelPackageArn")], ids=["denied", "unreadable"])
def test_one_version_that_cannot_be_read_hides_no_other(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A card under a key of somebody else's is refused for ever."""
    group = aws_story.new_group()
    poison, *others = (aws_story.register(group) for _ in range(3))
    later = aws_story.register(aws_story.new_group())
    let_describe_fail(monkeypatch, {poison: error})
    made = aws_story.synced()
    assert made.state == "failed"
    assert made.error.startswith(f"{poison} was not read: ")
    assert set(ModelVersion.objects.filter(arn__in=[poison, *others, later]).values_list("arn", flat=True)) == {
        *others,
        later,
    }


def test_a_role_that_is_refused_everything_is_not_asked_for_everything(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = aws_story.new_group()
    arns = [aws_story.register(group) for _ in range(4)]
    let_describe_fail(monkeypatch, dict.fromkeys(arns, refusing(AwsDenied)))
    monkeypatch.setattr(runs, "MOST_REFUSALS", 2)
    made = aws_story.synced()
    assert made.state == "failed"
    assert made.error.count("was not read") == 3


def test_what_was_read_before_aws_throttled_is_kept(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = aws_story.new_group()
    arns = [aws_story.register(group) for _ in range(4)]
    let_describe_fail(monkeypatch, {arns[2]: refusing(AwsThrottled)})
    assert aws_story.synced().state == "failed"
    assert ModelVersion.objects.filter(arn__in=arns).count() == 2


@pytest.mark.parametrize("error", ["gone", "denied"])
def test_one_group_that_cannot_be_listed_hides_no_other(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """One deleted since it was listed is no error; one that is refused is, and then nothing counts as missing."""
    kept, bad, later = (aws_story.new_group() for _ in range(3))
    arn, absent = aws_story.register(kept), aws_story.register(later)
    aws_story.synced()
    aws_story.session(HUB).sagemaker.delete_model_package(ModelPackageName=absent)
    ModelVersion.objects.filter(arn=arn).update(description="older")
    client = aws_story.session(HUB).sagemaker

    def listing(session: AwsSession, group: GroupRecord) -> Iterator[VersionSummary]:
        if group.arn == bad:
            if error == "denied":
                raise refusing(AwsDenied)
            client.delete_model_package_group(ModelPackageGroupName=group.name)
        return REALLY_LIST(session, group)

    monkeypatch.setattr(run.sagemaker, "list_versions", listing)
    made = aws_story.synced()
    assert made.state == ("failed" if error == "denied" else "succeeded"), made.error
    assert made.groups_done == made.groups
    assert aws_story.known(arn).description != "older"
    assert (aws_story.known(absent).missing_since is not None) == (error == "gone")


def test_a_listener_that_breaks_on_one_version_hides_no_other(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    poison, *others = (aws_story.register(group) for _ in range(3))

    def absorb(actor: Actor, changes: Sequence[VersionChange]) -> None:
        if any(change.version.arn == poison for change in changes):
            raise LookupError("poison")
        intake.absorb_versions(actor, changes)

    hub = AwsAccount.objects.get(account_id=HUB)
    listeners = replace(sync.LISTENERS, on_versions=absorb)
    made = run.full_pass(actor=sync.ACTOR, account=hub, region="us-east-1", requested_by="test", listeners=listeners)
    assert made.state == "failed"
    assert f"{poison} was not recorded (LookupError: poison)." in made.error
    assert ModelVersion.objects.filter(arn__in=others).count() == 2


def test_a_pass_that_breaks_says_so_and_the_next_region_is_read(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    AwsAccount.objects.filter(account_id=HUB).update(regions=["us-east-1", "eu-west-1"])
    really = intake.absorb_rest

    def after(actor: Actor, account: AwsAccount, region: str) -> None:
        if region == "us-east-1":
            raise RuntimeError("broken")
        really(actor, account, region)

    monkeypatch.setattr(sync, "LISTENERS", replace(sync.LISTENERS, after_pass=after))
    made = sync.sync_account(account_id=HUB, requested_by="test")
    assert [one.state for one in made] == ["failed", "succeeded"]
    assert "RuntimeError: broken" in made[0].error


def test_a_search_index_that_is_behind_brings_nothing_back(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still have a version, and a group, that AWS has no more."""
    arn, other = (aws_story.register(aws_story.new_group()) for _ in range(2))
    aws_story.synced()
    records = [REALLY_DESCRIBE(aws_story.session(HUB), one) for one in (arn, other)]
    client = aws_story.session(HUB).sagemaker
    for one in (arn, other):
        client.delete_model_package(ModelPackageName=one)
    client.delete_model_package_group(ModelPackageGroupName=records[1].group_name)
    assert aws_story.synced().missing == 2
    ModelVersion.objects.filter(arn=other).update(arn="unknown/1")
    monkeypatch.setattr(run.sagemaker, "search_versions_modified_since", lambda *_, **__: iter(records))
    (made,) = sync.sync_changes(account_id=HUB)
    assert (made.kind, made.state, made.error) == ("incremental", "succeeded", "")
    assert aws_story.known(arn).missing_since is not None
    assert not ModelVersion.objects.filter(arn=other).exists()


def test_a_group_belongs_to_its_owner_again_once_the_portal_reads_him(aws: Sandbox, place: Place) -> None:
    """Decisions are written through the account of the group, and a receiver may not write."""
    group = aws_story.new_group()
    aws_story.share(group)
    aws_story.register(group)
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    aws_story.synced(DEVELOPMENT)
    assert ModelGroup.objects.get(arn=group).account.account_id == DEVELOPMENT
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=True)
    aws_story.synced(HUB)
    assert ModelGroup.objects.get(arn=group).account.account_id == HUB
    again = aws_story.synced(DEVELOPMENT)
    assert (again.state, again.missing) == ("succeeded", 0)


def test_a_group_made_anew_under_its_name_has_its_new_creation(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    aws_story.synced()
    before = ModelGroup.objects.get(arn=group)
    aws_story.session(HUB).sagemaker.delete_model_package_group(ModelPackageGroupName=before.name)
    aws_story.new_group(before.name)
    aws_story.synced()
    after = ModelGroup.objects.get(arn=group)
    assert after.pk == before.pk
    assert after.aws_created_at is not None
    assert before.aws_created_at is not None
    assert after.aws_created_at > before.aws_created_at


def test_what_failed_before_a_worker_was_killed_is_no_success_of_the_next_one(aws: Sandbox, place: Place) -> None:
    hub = AwsAccount.objects.get(account_id=HUB)
    SyncRun.objects.create(account=hub, region="us-east-1", kind="full", requested_by="killed", error="X was not read.")
    made = aws_story.synced()
    assert (made.state, made.resumed, made.error) == ("failed", 1, "X was not read.")
