"""Groups that another account shares: read through the receiver when the portal does not know their owner."""

from __future__ import annotations

import pytest

from governance.services import sync
from registry.models import AwsAccount, ModelGroup, ModelVersion
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(aws: Sandbox, place: Place) -> str:
    group = aws_story.new_group()
    aws_story.share(group)
    aws_story.register(group)
    return group


def test_a_known_owner_reads_his_own_group(shared: str) -> None:
    aws_story.synced(DEVELOPMENT)
    assert not ModelGroup.objects.filter(arn=shared).exists()
    aws_story.synced(HUB)
    assert ModelGroup.objects.get(arn=shared).account.account_id == HUB


def test_the_group_of_an_owner_the_portal_does_not_reach_is_read_where_it_is_shared(shared: str) -> None:
    """Its versions are listed and described by ARN, with the receiver's role; the group keeps its owner in its ARN."""
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    run = aws_story.synced(DEVELOPMENT)
    assert (run.state, run.error) == ("succeeded", "")
    group = ModelGroup.objects.get(arn=shared)
    assert group.account.account_id == DEVELOPMENT
    version = ModelVersion.objects.get(group=group)
    assert (version.stage, version.status) == ("development", "pending")
    again = aws_story.synced(DEVELOPMENT)
    assert (again.created, again.updated, again.missing) == (0, 0, 0)


def test_a_change_of_such_a_version_that_no_list_tells_is_searched_for_too(shared: str) -> None:
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    aws_story.synced(DEVELOPMENT)
    arn = ModelVersion.objects.get(group__arn=shared).arn
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=True)
    hub = aws_story.session(HUB)
    hub.sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"validation_auc": "0.5"})
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    (run,) = sync.sync_changes(account_id=DEVELOPMENT)
    assert (run.kind, run.state, run.updated) == ("incremental", "succeeded", 1)
    assert aws_story.known(arn).metadata["validation_auc"] == "0.5"


def test_an_account_that_is_disabled_while_it_is_read_is_left_alone(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before stays; nothing further is asked of it, in this region or the next."""
    AwsAccount.objects.filter(account_id=HUB).update(regions=["us-east-1", "eu-west-1"])
    arn = aws_story.register(aws_story.new_group())
    really = sync.run.sagemaker.list_groups

    def list_and_disable(*args: object, **kwargs: object) -> object:
        yield from really(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)

    monkeypatch.setattr(sync.run.sagemaker, "list_groups", list_and_disable)
    (run,) = sync.sync_account(account_id=HUB, requested_by="test")
    assert run.state == "failed"
    assert "disabled" in run.error
    assert not ModelVersion.objects.filter(arn=arn).exists()
