"""The roles of deploy/: what they hold is what the gateway calls, no more and no less."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from registry.aws import events
from registry.aws.actions import OPERATIONS, When, grants, needed
from registry.aws.calls import Unknown, called, reported
from registry.aws.cloudformation import hub_role, spoke_role
from registry.aws.records import AccountRef
from registry.aws.session import SESSION_NAME, AwsSession
from registry.management.commands.deploy_templates import unlisted_calls
from tests.aws.wire import Wire
from tests.deploy.cloud import DEPLOY, Worked, is_allowed, listed

REQUIRED = {"PortalPrincipalArn": "arn:aws:iam::999999999999:role/portal", "ExternalId": "0123456789abcdef"}
GROUP = "arn:aws:sagemaker:eu-central-1:111111111111:model-package-group/Credit-Risk"
VERSION = "arn:aws:sagemaker:eu-central-1:111111111111:model-package/credit-risk/7"
FULL = {
    "ArtifactBucketArns": "arn:aws:s3:::one,arn:aws:s3:::two",
    "KeyArns": "arn:aws:kms:eu-central-1:111111111111:key/k",
    "EventQueue": "model-governance-events",
    "PortalSetsUpEvents": "true",
    "DeploymentPipelines": "deploy-*",
    "CallbackQueues": "callbacks",
}
HUB_ONLY = {"SourceBucketArns": "arn:aws:s3:::dev", "DeploymentBus": "orders"}
SPOKE_ONLY = {"OwnsModelGroups": "true"}


def policy(name: str, **given: str) -> dict[str, Any]:
    properties = Worked(name, **REQUIRED, **given).properties("Role")
    document: dict[str, Any] = properties["Policies"][0]["PolicyDocument"]
    return document


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in listed(statement["Action"])}


def test_every_call_of_the_gateway_is_in_the_table_and_nothing_else() -> None:
    assert not unlisted_calls()
    idle = set(OPERATIONS) - set(called())
    assert not idle, f"registry/aws/actions.py lists what nobody calls: {idle}"


def test_errors_name_the_operation_that_was_called() -> None:
    known = called()
    assert not {operation: sorted(files) for operation, files in reported().items() if operation not in known}


def test_a_call_without_an_entry_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endpoints.py").write_text(
        "def stop(session):\n    session.sagemaker.delete_endpoint(EndpointName='x')\n"
    )
    assert called(tmp_path) == {"sagemaker:DeleteEndpoint": frozenset({"endpoints.py"})}
    monkeypatch.setattr("registry.management.commands.deploy_templates.called", lambda: called(tmp_path))
    (said,) = unlisted_calls()
    assert said == "endpoints.py calls sagemaker:DeleteEndpoint, which registry/aws/actions.py does not list."


def test_methods_are_found_however_a_client_is_held(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def f(self, target):\n    s3 = target.s3\n    s3.put_object()\n    self.target.s3.get_object()\n"
        "    call = target.ram.list_resources\n    client.meta.events.register('x', call)\n"
    )
    assert set(called(tmp_path)) == {"s3:PutObject", "s3:GetObject", "ram:ListResources"}
    (tmp_path / "b.py").write_text("def f(session):\n    session.sagemaker.approve_everything()\n")
    with pytest.raises(Unknown, match=r"b\.py:2: sagemaker has no operation approve_everything"):
        called(tmp_path)


def test_the_files_are_what_the_code_says() -> None:
    call_command("deploy_templates", check=True)


def test_cloudformation_takes_them() -> None:
    linter = Path(sys.executable).parent / "cfn-lint"
    files = sorted(map(str, DEPLOY.glob("*.yaml")))
    assert len(files) == 6
    done = subprocess.run([linter, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "kind", "more"), [("hub-role.yaml", "hub", HUB_ONLY), ("spoke-role.yaml", "spoke", SPOKE_ONLY)]
)
def test_a_role_holds_exactly_what_the_table_says(name: str, kind: str, more: dict[str, str]) -> None:
    wanted = {grant.action for grant in grants() if getattr(grant, kind) is not None}
    assert actions(policy(name, **FULL, **more)) == wanted
    unconditional = {grant.action for grant in grants() if getattr(grant, kind) is When.ALWAYS}
    plain = {"DeploymentBus": ""} if kind == "hub" else {}
    assert actions(policy(name, EventQueue="", **plain)) == unconditional
    # An inline policy of a role may have 10,240 characters.
    assert len(json.dumps(policy(name, **FULL, **more), separators=(",", ":"))) < 9_000


def test_every_condition_of_the_table_can_be_chosen() -> None:
    conditions = {*hub_role()["Conditions"], *spoke_role()["Conditions"]}
    assert conditions == {when.value for when in When} - {""}


def test_a_spoke_cannot_approve_share_or_register() -> None:
    spoke = [policy("spoke-role.yaml", **FULL)]
    for action in ("UpdateModelPackage", "CreateModelPackage", "CreateModelPackageGroup", "PutModelPackageGroupPolicy"):
        assert not is_allowed(spoke, f"sagemaker:{action}", VERSION)
        assert not is_allowed(spoke, f"sagemaker:{action}", GROUP)
    assert not is_allowed(spoke, "ram:CreateResourceShare")
    assert not is_allowed(spoke, "s3:PutObject", "arn:aws:s3:::one/model.tar.gz")
    assert is_allowed([policy("spoke-role.yaml", OwnsModelGroups="true")], "sagemaker:UpdateModelPackage", VERSION)


def test_roles_reach_only_what_they_are_given() -> None:
    hub = [policy("hub-role.yaml", **FULL, **HUB_ONLY, ModelPackageGroups="Credit-*", ModelPackages="credit-*")]
    assert is_allowed(hub, "sagemaker:UpdateModelPackage", VERSION)
    assert not is_allowed(hub, "sagemaker:UpdateModelPackage", VERSION.replace("credit-risk", "fraud"))
    assert not is_allowed(hub, "sagemaker:UpdateModelPackage", VERSION.replace("1" * 12, "2" * 12))
    assert is_allowed(hub, "s3:PutObject", "arn:aws:s3:::two/a/model.tar.gz")
    assert not is_allowed(hub, "s3:PutObject", "arn:aws:s3:::dev/model.tar.gz")
    assert is_allowed(hub, "s3:GetObject", "arn:aws:s3:::dev/model.tar.gz")
    assert not is_allowed(hub, "sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:111111111111:other")
    assert is_allowed(
        hub, "sagemaker:StartPipelineExecution", "arn:aws:sagemaker:eu-central-1:111111111111:pipeline/deploy-a"
    )
    assert not is_allowed(
        hub, "sagemaker:StartPipelineExecution", "arn:aws:sagemaker:eu-central-1:111111111111:pipeline/train"
    )
    assert is_allowed(hub, "iam:SimulatePrincipalPolicy", "arn:aws:iam::111111111111:role/ModelGovernancePortal")
    assert not is_allowed(hub, "iam:SimulatePrincipalPolicy", "arn:aws:iam::111111111111:role/Administrator")
    for action in ("iam:PassRole", "sagemaker:DeleteModelPackage", "s3:DeleteBucket", "sts:AssumeRole"):
        assert not is_allowed(hub, action, "*")


@pytest.mark.parametrize("name", ["hub-role.yaml", "spoke-role.yaml"])
def test_a_role_trusts_the_portal_by_id_name_and_source(name: str) -> None:
    properties = Worked(name, **REQUIRED).properties("Role")
    assume, source = properties["AssumeRolePolicyDocument"]["Statement"]
    assert assume["Principal"] == source["Principal"] == {"AWS": REQUIRED["PortalPrincipalArn"]}
    assert (assume["Action"], source["Action"]) == ("sts:AssumeRole", "sts:SetSourceIdentity")
    assert assume["Condition"]["StringEquals"] == {
        "sts:ExternalId": REQUIRED["ExternalId"],
        "sts:RoleSessionName": SESSION_NAME,
        "sts:SourceIdentity": SESSION_NAME,
    }
    assert source["Condition"]["StringEquals"] == {"sts:SourceIdentity": SESSION_NAME}
    # The session the portal asks for must fit.
    assert properties["MaxSessionDuration"] == 3600


def test_no_template_names_an_account() -> None:
    for path in DEPLOY.glob("*.yaml"):
        assert not [word for word in path.read_text().split() if word.strip("'").isdigit() and len(word) == 12]


def test_queue_and_rule_are_those_the_portal_would_make(wire: Wire) -> None:
    for name in ("q-dead-letters", "q"):
        wire.answer("sqs", "GetQueueUrl", {"QueueUrl": f"https://sqs/1/{name}"})
        wire.answer(
            "sqs", "GetQueueAttributes", {"Attributes": {"QueueArn": f"arn:aws:sqs:us-east-1:111111111111:{name}"}}
        )
    wire.answer("events", "PutRule", {"RuleArn": "arn:aws:events:us-east-1:111111111111:rule/r"})
    wire.answer("sqs", "SetQueueAttributes", {})
    wire.answer("events", "PutTargets", {"FailedEntryCount": 0, "FailedEntries": []})
    session = AwsSession(AccountRef("111111111111", "us-east-1"))
    events.ensure_queue_and_rule(session, queue_name="q", rule_name="r")

    worked = Worked("events.yaml", QueueName="q", RuleName="r")
    rule, queue, letters = (worked.properties(name) for name in ("Rule", "Queue", "DeadLetters"))
    made = wire.asked("PutRule")[0]
    assert rule["EventPattern"] == json.loads(made["EventPattern"])
    assert (rule["Name"], rule["State"], rule["Description"]) == (made["Name"], made["State"], made["Description"])
    assert [target["Id"] for target in rule["Targets"]] == [t["Id"] for t in wire.asked("PutTargets")[0]["Targets"]]
    set_to = wire.asked("SetQueueAttributes")[0]["Attributes"]
    assert str(queue["VisibilityTimeout"]) == set_to["VisibilityTimeout"]
    assert str(queue["MessageRetentionPeriod"]) == set_to["MessageRetentionPeriod"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == json.loads(set_to["RedrivePolicy"])["maxReceiveCount"]
    assert (queue["QueueName"], letters["QueueName"]) == ("q", "q-dead-letters")
    (ours,) = worked.properties("QueuePolicy")["PolicyDocument"]["Statement"]
    (theirs,) = json.loads(set_to["Policy"])["Statement"]
    assert (ours["Action"], ours["Principal"], ours["Effect"]) == (
        theirs["Action"],
        theirs["Principal"],
        theirs["Effect"],
    )
    assert ours["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(":111111111111:rule/r")


def test_what_is_needed_follows_what_an_account_is() -> None:
    spoke = {grant.action for grant in needed(is_hub=False, circumstances=[])}
    assert "sagemaker:ListModelPackages" in spoke
    assert not spoke & {"sagemaker:UpdateModelPackage", "s3:GetObject", "sqs:ReceiveMessage", "events:PutEvents"}
    owner = {grant.action for grant in needed(is_hub=False, circumstances=[When.OWNS_GROUPS, When.HAS_QUEUE])}
    assert {"sagemaker:UpdateModelPackage", "sqs:ReceiveMessage", "sqs:DeleteMessage"} <= owner - spoke
    assert {action.partition(":")[0] for action in owner - spoke} == {"sagemaker", "sqs"}
    hub = {grant.action for grant in needed(is_hub=True, circumstances=[])}
    assert {"ram:CreateResourceShare", "sagemaker:UpdateModelPackage"} <= hub
    assert not hub & {"sqs:CreateQueue", "events:PutRule"}
