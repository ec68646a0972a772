"""Registering versions through the portal: once, at once, in the asker's name, and nothing of it lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governance.choices import Verdict
from governance.models import Finding, OutboxMessage
from governance.services import approvals, delivery, outbox, registration
from governance.services.entitlement import SelfApproval
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.operations import operation
from registry.aws import sagemaker
from registry.aws.records import Identity
from registry.choices import AccountPurpose, AskedState
from registry.models import AwsAccount, ModelVersion, Registration
from registry.services import registrations
from tests import aws_story
from tests.api.client import Api
from tests.aws_story import DEVELOPMENT, HUB
from tests.factories import person
from tests.factories.people import SYSTEM
from tests.factories.records import version_record
from tests.refusals import refused, sql
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


def ask(world: Place, **values: Any) -> Registration:
    return registration.register_version(
        actor=world.people.scientist.actor, group_id=world.group.pk, new=new(**values), reference=""
    )


def created(world: Place) -> list[dict[str, Any]]:
    return [call for call in world.aws.calls(operation="CreateModelPackage") if call["performed"]]


def test_a_version_is_registered_and_seen_at_once(world: Place) -> None:
    done = ask(world, source_uri="s3://code/train.py", training_job="arn:aws:sagemaker:us-east-1:1:training-job/t")
    assert (done.state, done.error) == (AskedState.DONE, "")
    assert done.version is not None
    version = ModelVersion.objects.select_related("group").get(pk=done.version.pk)
    assert (version.arn, version.group_id) == (done.arn, world.group.pk)
    assert (version.stage, version.status) == ("development", "pending")
    assert version.registered_by_id == world.people.scientist.pk
    assert version.metadata["portal-registration"] == done.public_id
    described = sagemaker.describe_version(aws_story.session(HUB), done.arn)
    assert described.approval_status == "PendingManualApproval"
    assert described.life_cycle is not None
    assert (described.life_cycle.stage, described.life_cycle.status) == ("Development", "PendingApproval")
    assert described.containers[0].environment == {"THREADS": "2"}
    assert described.source_uri == "s3://code/train.py"
    (call,) = created(world)
    assert call["client_token"] == str(done.token)


def test_who_registered_it_may_not_approve_it(world: Place) -> None:
    owner = world.people.owner
    done = registration.register_version(actor=owner.actor, group_id=world.group.pk, new=new())
    assert done.version is not None
    request = approvals.submit(
        actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=done.version.pk
    )
    with pytest.raises(SelfApproval, match="brought this in yourself"):
        approvals.decide(actor=owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert request.registrant_id == owner.pk


def test_what_was_made_of_the_record_in_aws_names_nobody_else(world: Place) -> None:
    """Whoever was read into a version whose metadata somebody changed first, AWS's answer says whose it is."""
    row = ask(world)
    people, version = world.people, ModelVersion.objects.filter(arn=row.arn)
    for taken_for in (people.owner, None):
        version.update(registered_by=taken_for)
        registrations.note_arn(actor=SYSTEM, number=row.number, arn=row.arn)
        assert version.get().registered_by_id == people.scientist.pk
    # Of the same ARN in an earlier life it says nothing.
    version.update(registered_by=people.owner, aws_created_at=row.requested_at - timedelta(days=1))
    registrations.note_arn(actor=SYSTEM, number=row.number, arn=row.arn)
    assert version.get().registered_by_id == people.owner.pk


def test_the_same_reference_registers_once(world: Place) -> None:
    actor = world.people.scientist.actor
    reference = f"run-{uuid.uuid4().hex}"
    first = registration.register_version(actor=actor, group_id=world.group.pk, new=new(), reference=reference)
    again = registration.register_version(actor=actor, group_id=world.group.pk, new=new(), reference=reference)
    assert first.pk == again.pk
    assert len(created(world)) == 1
    with pytest.raises(InvalidInput) as caught:
        registration.register_version(
            actor=actor, group_id=world.group.pk, new=new(description="Another"), reference=reference
        )
    assert first.public_id in caught.value.errors["reference"][0]
    other = registration.register_version(
        actor=world.people.owner.actor, group_id=world.group.pk, new=new(), reference=reference
    )
    assert other.pk != first.pk


def test_an_answer_that_was_lost_registers_once(world: Place) -> None:
    world.aws.fault(service="sagemaker", operation="CreateModelPackage", error="GatewayTimeout", times=4, after=True)
    waiting = ask(world)
    assert waiting.state == AskedState.PENDING
    made = len(created(world))
    world.aws.forget()
    message = OutboxMessage.objects.get(ordering_key=f"registration:{waiting.public_id}")
    OutboxMessage.objects.filter(pk=message.pk).update(next_attempt_at=message.created_at)
    assert delivery.deliver_key(message.ordering_key)
    done = Registration.objects.get(pk=waiting.pk)
    assert done.state == AskedState.DONE
    carrying = [
        version
        for version in sagemaker.list_versions(aws_story.session(HUB), world.group.arn)
        if sagemaker.describe_version(aws_story.session(HUB), version.arn).metadata.get("portal-registration")
        == done.public_id
    ]
    assert len(carrying) == 1
    assert made + len(created(world)) >= 1


def test_an_aws_that_refuses_fails_the_registration_alone(world: Place) -> None:
    world.aws.fault(service="sagemaker", operation="CreateModelPackage", error="AccessDeniedException", times=None)
    failed = ask(world)
    assert failed.state == AskedState.FAILED
    assert "denied" in failed.error
    world.aws.forget()
    assert ask(world).state == AskedState.DONE, "what failed holds up nothing else"
    message = OutboxMessage.objects.get(ordering_key=f"registration:{failed.public_id}")
    outbox.retry(actor=world.people.engineer.actor, message_id=message.pk)
    assert delivery.deliver_key(message.ordering_key)
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (AskedState.DONE, "")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"containers": ()}, "containers"),
        ({"containers": (replace(new().containers[0], image="two words"),)}, "containers"),
        ({"containers": (replace(new().containers[0], model_data_url="ftp://x"),)}, "containers"),
        ({"containers": (replace(new().containers[0], image_digest="md5:1"),)}, "containers"),
        ({"description": "x" * 1025}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"metadata": {"k": "v" * 257}}, "metadata"),
        ({"metadata": {"portal-registration": "REG-000001"}}, "metadata"),
        ({"metadata": {f"k{n}": "v" for n in range(50)}}, "metadata"),
        ({"card": {"intended_uses": {"risk_rating": "Severe"}}}, "card"),
        ({"card": {"model_overview": {"model_name": "\x00"}}}, "card"),
        ({"card": {"additional_information": {"custom_details": {"UseCaseId": "UC-9999"}}}}, "card"),
        ({"metric_sources": {"Bias": {"Report": {"S3Uri": "s3://b/k"}}}}, "metric_sources"),
        ({"metric_sources": {"Nonsense": 1}}, "metric_sources"),
        ({"drift_baselines": {"Bias": 3}}, "drift_baselines"),
        ({"source_uri": "s" * 1025}, "source_uri"),
    ],
)
def test_what_aws_would_refuse_is_refused_beside_its_field(world: Place, values: dict[str, Any], field: str) -> None:
    before = Registration.objects.count()
    with pytest.raises(InvalidInput) as caught:
        ask(world, **values)
    assert set(caught.value.errors) == {field}
    assert Registration.objects.count() == before
    assert world.aws.calls(operation="CreateModelPackage") == []


def test_others_may_not(world: Place) -> None:
    for somebody, refusal in (
        (world.people.officer, Forbidden),
        (world.people.auditor, Forbidden),
        (world.people.admin, Forbidden),
        (world.people.stranger, NotFound),
    ):
        with pytest.raises(refusal):
            registration.register_version(actor=somebody.actor, group_id=world.group.pk, new=new())


def test_a_group_that_lies_in_no_hub_takes_none(world: Place) -> None:
    account = AwsAccount.objects.filter(pk=world.group.account_id)
    account.update(purposes=[AccountPurpose.DEVELOPMENT])
    try:
        with pytest.raises(WrongState, match="in groups of a hub only"):
            ask(world)
    finally:
        account.update(purposes=[AccountPurpose.HUB])
    assert not created(world)


def test_words_of_the_portal_on_a_foreign_version_are_worth_nothing(world: Place) -> None:
    """Whoever writes the portal's metadata on his own version does not put it on another's name."""
    world.aws.fault(service="sagemaker", operation="CreateModelPackage", error="AccessDeniedException", times=None)
    asked = ask(world)
    world.aws.forget()
    aws_story.share(world.group.arn)
    arn = aws_story.register(world.group.arn, by=DEVELOPMENT, metadata={"portal-registration": asked.public_id})
    assert aws_story.synced().error == ""
    assert ModelVersion.objects.get(arn=arn).registered_by_id is None
    asked.refresh_from_db()
    assert asked.arn == ""


def test_the_words_count_once_in_their_group_for_the_portals_role(world: Place) -> None:
    with operation(SYSTEM):
        row, _ = registrations.ask(actor=world.people.owner.actor, group_id=world.group.pk, new=new())
        ours = Identity(
            "arn:aws:sts::111111111111:assumed-role/ModelGovernancePortal/model-governance-portal", "", "", ""
        )
        first, second, stranger = (
            version_record(
                world.group.arn,
                number,
                metadata={"portal-registration": row.public_id},
                created_by=who,
            )
            for number, who in (
                (901, ours),
                (902, ours),
                (903, Identity("arn:aws:iam::111111111111:role/X", "", "", "")),
            )
        )
        assert registrations.registrants_of(world.group, [stranger]) == {}
        assert registrations.registrants_of(world.group, [second, first]) == {first.arn: world.people.owner.pk}
        assert registrations.registrants_of(world.group, [second]) == {}
        assert registrations.registrants_of(world.group, [first]) == {first.arn: world.people.owner.pk}
        renamed = replace(first, metadata={})
        assert registrations.registrants_of(world.group, [renamed]) == {first.arn: world.people.owner.pk}


def test_the_database_keeps_who_asked(world: Place) -> None:
    done = ask(world)
    other = person()
    for change in (
        f"requested_by_id = {other.pk}",
        "arn = 'arn:aws:sagemaker:us-east-1:111111111111:model-package/x/1'",
        "payload = '{}'",
        "token = gen_random_uuid()",
    ):
        with refused("asked_pinned"):
            sql(f"UPDATE registry_registration SET {change} WHERE id = {done.pk}")
    with refused("asked_moves"):
        sql(f"UPDATE registry_registration SET state = 'pending' WHERE id = {done.pk}")
    with refused("history_kept"):
        sql(f"DELETE FROM registry_registration WHERE id = {done.pk}")
    assert not Finding.objects.filter(version=done.version, kind="card_invalid").exists()


def test_the_api_answers_with_the_version_or_where_to_look(world: Place) -> None:
    api = Api(world.people.scientist)
    body = {
        "group": world.group.name,
        "containers": [{"image": "image:1"}],
        "content_types": ["text/csv"],
        "response_types": ["text/csv"],
    }
    made = api.call("POST", "model-versions/", {**body, "group": world.group.arn})
    assert made.status_code == 201
    assert made.json()["registered_by"] == world.people.scientist.username
    assert made["Location"].endswith(f"/api/v1/model-versions/{made.json()['id']}/")
    world.aws.fault(service="sagemaker", operation="CreateModelPackage", error="InternalFailure", times=None)
    waits = api.call("POST", "model-versions/", body)
    assert waits.status_code == 202
    found = api.get(f"registrations/{waits.json()['id']}/")
    assert waits["Location"].endswith(f"/api/v1/registrations/{found['id']}/")
    assert (found["state"], found["version"], found["order"]["state"]) == ("pending", None, "pending")
    assert "InternalFailure" in found["order"]["last_error"]
