"""Creating model groups through the portal: once, with tags and policy, for a project, and never over another's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from governance.models import Finding, OutboxMessage
from governance.services import delivery, outbox, registration
from portal.core.errors import Forbidden, InvalidInput, WrongState
from registry.aws import sagemaker
from registry.choices import AskedState
from registry.models import GroupCreation
from registry.services.group_creations import TAG, NewGroup
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.sandbox import Sandbox

from .registering import Place, new, place


@pytest.fixture(scope="module")
def world(made_database: None, django_db_blocker: Any, aws_process: Sandbox) -> Iterator[Place]:
    with django_db_blocker.unblock(), place(aws_process) as made:
        yield made


@pytest.fixture(autouse=True)
def calm(world: Place) -> Iterator[None]:
    world.aws.forget()
    yield
    world.aws.forget()


def name() -> str:
    return f"credit-{uuid.uuid4().hex[:8]}"


def arn_of(group: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:{HUB}:model-package-group/{group}"


def policy(group: str, *actions: str, account: str = DEVELOPMENT, resource: str = "") -> str:
    versions = arn_of(group).replace("model-package-group", "model-package") + "/*"
    statement = {
        "Sid": "Spoke",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": list(actions),
        "Resource": [resource] if resource else [arn_of(group), versions],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(world: Place, group: str, **values: Any) -> GroupCreation:
    return registration.create_group(
        actor=values.pop("actor", world.people.engineer.actor), new=NewGroup(group, world.project, **values)
    )


def test_a_group_is_created_with_all_that_was_asked(world: Place) -> None:
    group = name()
    text = policy(group, "sagemaker:DescribeModelPackage", "sagemaker:CreateModelPackage")
    done = create(
        world, group, description="Ranks.", owner=world.people.owner, tags={"cost-centre": "4711"}, policy=text
    )
    assert (done.state, done.error) == (AskedState.DONE, "")
    assert done.group is not None
    assert (done.group.arn, done.group.project_id) == (arn_of(group), world.project.pk)
    assert done.group.owner_id == world.people.owner.pk
    session = aws_story.session(HUB)
    assert sagemaker.group_tags(session, done.group.arn) == {"cost-centre": "4711", TAG: str(done.token)}
    assert json.loads(sagemaker.get_group_policy(session, group) or "") == json.loads(text)
    assert not Finding.objects.unresolved().filter(group=done.group).exists(), "nobody has to claim it"
    registered = registration.register_version(actor=world.people.scientist.actor, group_id=done.group.pk, new=new())
    assert registered.version is not None
    assert registered.version.number == 1


def test_an_answer_that_was_lost_creates_it_once(world: Place) -> None:
    group = name()
    world.aws.fault(
        service="sagemaker", operation="CreateModelPackageGroup", error="GatewayTimeout", times=4, after=True
    )
    waiting = create(world, group)
    assert waiting.state in (AskedState.PENDING, AskedState.DONE)
    world.aws.forget()
    message = OutboxMessage.objects.get(ordering_key=f"group:{arn_of(group)}")
    OutboxMessage.objects.filter(pk=message.pk).update(next_attempt_at=message.created_at)
    assert delivery.deliver_key(message.ordering_key)
    waiting.refresh_from_db()
    assert waiting.state == AskedState.DONE


def test_another_group_of_the_name_is_left_alone(world: Place) -> None:
    group = name()
    aws_story.new_group(group)
    refused = create(world, group)
    assert refused.state == AskedState.FAILED
    assert f"that {refused.public_id} did not make" in refused.error
    assert sagemaker.group_tags(aws_story.session(HUB), arn_of(group)) == {"project": "credit-risk"}
    message = OutboxMessage.objects.get(ordering_key=f"group:{arn_of(group)}")
    assert message.attempts == 1, "no further attempt can help"
    assert aws_story.synced().error == ""
    with pytest.raises(WrongState, match="has a model group"):
        create(world, group.upper())


def test_one_that_failed_is_finished_by_a_retry(world: Place) -> None:
    group = name()
    world.aws.fault(service="sagemaker", operation="CreateModelPackageGroup", error="AccessDeniedException", times=None)
    failed = create(world, group)
    assert failed.state == AskedState.FAILED
    world.aws.forget()
    message = OutboxMessage.objects.get(ordering_key=f"group:{arn_of(group)}")
    outbox.retry(actor=world.people.admin.actor, message_id=message.pk)
    assert delivery.deliver_key(message.ordering_key)
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (AskedState.DONE, "")


def test_a_policy_that_lets_others_approve_needs_an_ml_admins_reason(world: Place) -> None:
    group = name()
    text = policy(group, "sagemaker:UpdateModelPackage")
    for actor, reason in ((world.people.engineer.actor, "Needed."), (world.people.admin.actor, "  ")):
        with pytest.raises(InvalidInput) as caught:
            create(world, group, actor=actor, policy=text, reason=reason)
        assert f"{DEVELOPMENT} approve" in caught.value.errors["policy"][0]
    done = create(world, group, actor=world.people.admin.actor, policy=text, reason="Until the move is done.")
    assert (done.state, done.reason) == (AskedState.DONE, "Until the move is done.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "list of statements"),
        ('{"Statement": []}', "list of statements"),
        ('{"Statement": [{"Effect": "Allow", "NotResource": "x", "Action": "*"}]}', "name its resources"),
        ("x" * 20_481, "at most 20480"),
        (policy("other", "sagemaker:DescribeModelPackage"), "names only"),
        (policy("g", "sagemaker:DescribeModelPackage", resource="*"), "names only"),
    ],
)
def test_a_policy_that_is_none_is_refused(world: Place, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(world, name(), policy=text)
    assert problem in " ".join(caught.value.errors["policy"])
    assert world.aws.calls(operation="CreateModelPackageGroup") == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "credit risk"}, "name"),
        ({"name": "-x"}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"description": "d" * 1025}, "description"),
        ({"tags": {TAG: "mine"}}, "tags"),
        ({"tags": {"aws:x": "y"}}, "tags"),
        ({"tags": {"k": "v" * 257}}, "tags"),
        ({"tags": {f"k{n}": "" for n in range(50)}}, "tags"),
        ({"region": "mars-1"}, "region"),
    ],
)
def test_what_aws_would_refuse_is_refused_beside_its_field(world: Place, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(world, values.pop("name", name()), **values)
    assert set(caught.value.errors) == {field}


def test_owner_and_roles(world: Place) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(world, name(), owner=world.people.stranger)
    assert set(caught.value.errors) == {"owner"}
    for somebody in (world.people.scientist, world.people.owner, world.people.officer, world.people.stranger):
        with pytest.raises(Forbidden):
            create(world, name(), actor=somebody.actor)
