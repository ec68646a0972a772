"""Roles as IAM holds them: what the portal is let into, what it lacks, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import ChannelKind
from governance.models import DeploymentChannel
from governance.services.order_resources import used_in
from portal.core.actors import Actor
from portal.core.errors import Forbidden, NotFound, WrongState
from registry.aws.records import AccountRef
from registry.aws.regions import known_regions
from registry.aws.session import SESSION_NAME, reset_sessions, session_for
from registry.choices import PermissionOutcome, PreflightMethod
from registry.models import AccountPreflight, AwsAccount
from registry.services import accounts, preflight
from registry.services.preflight import Uses
from tests.deploy.cloud import Worked
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

HUB, SPOKE, EXTERNAL_ID = "111111111111", "333333333333", "0123456789abcdef"
# Its threads go on waiting after their test has ended.
SLOW = "444444444444"
PORTAL = {"PortalPrincipalArn": "arn:aws:iam::999999999999:role/portal", "ExternalId": EXTERNAL_ID}
ALL = {"sagemaker:ListModelPackageGroups", "sagemaker:Search", "ram:GetResourceShares"}

MakeRole = Callable[..., AwsAccount]


@pytest.fixture
def role(aws: Sandbox, place: Place) -> MakeRole:
    """Make a role as a template of deploy/ has it, changed by the test, and point the account at it."""

    def make(
        account_id: str,
        name: str,
        template: str = "spoke-role.yaml",
        *,
        without: set[str] = frozenset(),  # type: ignore[assignment]  # never written to
        trust: dict[str, Any] | None = None,
        external_id: str = EXTERNAL_ID,
        **parameters: str,
    ) -> AwsAccount:
        properties = Worked(template, account_id, RoleName=name, EventQueue="", **{**PORTAL, **parameters}).properties(
            "Role"
        )
        document = properties["Policies"][0]["PolicyDocument"]
        for statement in document["Statement"]:
            statement["Action"] = [action for action in _listed(statement["Action"]) if action not in without]
        document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
        iam = session_for(AccountRef(account_id, "us-east-1", f"arn:aws:iam::{account_id}:role/Administrator")).iam
        # IAM keeps a role for all tests of this process: each has a name of its own.
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or properties["AssumeRolePolicyDocument"])
        )
        iam.put_role_policy(RoleName=name, PolicyName="portal", PolicyDocument=json.dumps(document))
        reset_sessions()
        return accounts.edit(
            actor=place.people.admin.actor,
            account=AwsAccount.objects.get(account_id=account_id),
            role_arn=f"arn:aws:iam::{account_id}:role/{name}",
            external_id=external_id,
        )

    return make


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def check(place: Place, account: AwsAccount) -> AccountPreflight:
    preflight.check_permissions(actor=place.people.admin.actor, account_id=account.account_id)
    return AccountPreflight.objects.get(account=account, region=account.region)


def test_the_roles_of_deploy_lack_nothing(place: Place, role: MakeRole) -> None:
    for account_id, template, more in (
        (HUB, "hub-role.yaml", {}),
        (SPOKE, "spoke-role.yaml", {}),
    ):
        account = role(account_id, "FromTemplate", template, **more)
        assert accounts.test_connection(actor=place.people.admin.actor, account_id=account_id).check_error == ""
        found = check(place, account)
        assert (found.method, found.error) == (PreflightMethod.SIMULATED, "")
        assert not found.missing
        assert not found.not_tried
        assert {entry["action"] for entry in found.allowed} >= ALL


def test_three_missing_actions_are_named_and_no_other(place: Place, role: MakeRole) -> None:
    lacking = {"sagemaker:Search", "sagemaker:UpdateModelPackage", "ram:CreateResourceShare"}
    found = check(place, role(HUB, "LacksThree", "hub-role.yaml", without=lacking))
    assert {entry["action"] for entry in found.missing} == lacking
    by_action = {entry["action"]: entry for entry in found.missing}
    assert by_action["sagemaker:UpdateModelPackage"]["needed_for"] == "write decisions back"
    assert by_action["sagemaker:Search"]["needed_for"] == "read the registry"
    assert by_action["ram:CreateResourceShare"]["needed_for"] == "share model groups"
    assert all(entry["detail"] == "No policy of the role allows it." for entry in found.missing)


def test_a_role_that_may_not_ask_iam_is_probed_and_writes_are_left_untried(
    aws: Sandbox, place: Place, role: MakeRole
) -> None:
    account = role(HUB, "MayNotAsk", "hub-role.yaml", without={"iam:SimulatePrincipalPolicy", "sagemaker:Search"})
    aws.forget()
    found = check(place, account)
    assert found.method == PreflightMethod.PROBED
    assert "writes were not tried" in found.error
    assert {entry["action"] for entry in found.missing} == {"iam:SimulatePrincipalPolicy", "sagemaker:Search"}
    untried = {entry["action"] for entry in found.not_tried}
    assert {"sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackageGroup", "ram:CreateResourceShare"} <= untried
    assert {"sagemaker:ListModelPackageGroups", "ram:GetResourceShares"} <= {e["action"] for e in found.allowed}
    asked = {call["operation"] for call in aws.calls(account=HUB)}
    assert not [name for name in asked if name.startswith(("Create", "Update", "Put", "Delete", "Receive"))]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("WrongExternalId", {"external_id": "another-word-altogether"}),
        ("NoExternalId", {"external_id": ""}),
        (
            "NoSourceIdentity",
            {
                "trust": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
                }
            },
        ),
    ],
)
def test_a_role_that_does_not_let_the_portal_in(place: Place, role: MakeRole, name: str, how: dict[str, Any]) -> None:
    account = role(SPOKE, name, **how)
    said = accounts.test_connection(actor=place.people.admin.actor, account_id=SPOKE).check_error
    assert "AssumeRole" in said
    assert "sts:SetSourceIdentity" in said
    assert "external id" in said
    found = check(place, account)
    assert (found.method, found.missing, found.allowed) == (PreflightMethod.FAILED, [], [])
    assert "AssumeRole" in found.error
    assert {entry["outcome"] for entry in found.results} == {PermissionOutcome.NOT_TRIED}


def test_throttled_meanwhile_is_said_and_nothing_is_made_up(aws: Sandbox, place: Place, role: MakeRole) -> None:
    account = role(SPOKE, "Throttled")
    aws.fault(service="iam", operation="SimulatePrincipalPolicy", error="ThrottlingException", times=None)
    found = check(place, account)
    assert found.method == PreflightMethod.FAILED
    assert "throttled" in found.error
    assert not found.missing
    aws.forget()
    assert check(place, account).method == PreflightMethod.SIMULATED


def test_what_only_the_call_itself_shows_is_found(aws: Sandbox, place: Place, role: MakeRole) -> None:
    account = role(SPOKE, "BehindAPolicy")
    aws.fault(service="sagemaker", operation="ListModelPackageGroups", error="AccessDeniedException", times=None)
    (missing,) = check(place, account).missing
    assert missing["action"] == "sagemaker:ListModelPackageGroups"
    assert "service control policy" in missing["detail"]


def test_every_region_there_is_is_looked_at(aws: Sandbox, place: Place, role: MakeRole) -> None:
    account = role(SPOKE, "Everywhere")
    regions = sorted(known_regions())
    accounts.edit(actor=place.people.admin.actor, account=account, regions=regions)
    account.refresh_from_db()
    aws.forget()
    check(place, account)
    assert {row.region for row in account.preflights.all() if row.method == PreflightMethod.SIMULATED} == set(regions)
    # One role a region is assumed, and no session twice.
    assert len(aws.calls(service="sts", operation="AssumeRole")) == len(regions)
    accounts.edit(actor=place.people.admin.actor, account=account, regions=["eu-west-1"])
    account.refresh_from_db()
    check(place, account)
    assert [row.region for row in account.preflights.all()] == ["eu-west-1"]


def test_an_aws_that_does_not_answer_is_not_waited_for(
    aws: Sandbox, place: Place, role: MakeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = role(SLOW, "Silent")
    accounts.edit(actor=place.people.admin.actor, account=account, regions=["us-east-1", "eu-west-1"])
    account.refresh_from_db()
    monkeypatch.setattr(accounts, "EVERY_REGION_SECONDS", 0.5)
    aws.fault(service="sts", error="delay", seconds=8, times=None)
    began = monotonic()
    found = check(place, account)
    said = accounts.test_connection(actor=place.people.admin.actor, account_id=SLOW).check_error
    assert monotonic() - began < 8, "it waited for the answer"
    assert "OutOfTime" in found.error
    assert said.startswith("us-east-1, eu-west-1: ")
    assert found.method == PreflightMethod.FAILED


def test_an_endpoint_nobody_listens_at(
    aws: Sandbox, place: Place, role: MakeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = role(SPOKE, "Unreachable")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    reset_sessions()
    found = check(place, account)
    assert "EndpointConnectionError" in found.error
    assert "network path" in found.error


def test_disabled_meanwhile_is_left_alone(
    aws: Sandbox, place: Place, role: MakeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = role(SPOKE, "SwitchedOff")
    before = check(place, account).checked_at
    real = preflight.in_each_region

    def switched_off(of: AwsAccount, work: Any) -> Any:
        AwsAccount.objects.filter(pk=of.pk).update(is_enabled=False)
        aws.forget()
        return real(of, work)

    with monkeypatch.context() as patched:
        patched.setattr(preflight, "in_each_region", switched_off)
        preflight.check_permissions(actor=place.people.admin.actor, account_id=SPOKE)
    assert not aws.calls(account=SPOKE)
    assert AccountPreflight.objects.get(account=account).checked_at == before
    with pytest.raises(WrongState, match="disabled"):
        preflight.check_permissions(actor=place.people.admin.actor, account_id=SPOKE)
    assert preflight.check_all(actor=Actor.system("preflight")) == AwsAccount.objects.enabled().count()
    assert not aws.calls(account=SPOKE)


def test_who_may_not_manage_accounts_may_not_check_them(place: Place, aws: Sandbox) -> None:
    with pytest.raises(Forbidden):
        preflight.check_permissions(actor=place.people.engineer.actor, account_id=SPOKE)
    with pytest.raises(NotFound):
        preflight.check_permissions(actor=place.people.scientist.actor, account_id=SPOKE)
    assert not aws.calls(account=SPOKE)


def test_a_role_of_many_sessions_is_renewed_in_time(aws: Sandbox, place: Place, role: MakeRole) -> None:
    account = role(SPOKE, "Renewed")
    session = accounts.reach(account)
    first = session.sts.get_caller_identity()["Arn"]
    assert first.endswith(f"/{SESSION_NAME}")
    aws.forget()
    # botocore renews fifteen minutes ahead; here the hour is over.
    credentials = session._boto.get_credentials()  # type: ignore[union-attr]  # private to botocore
    credentials._expiry_time = timezone.now() - timedelta(minutes=1)  # type: ignore[union-attr]  # as above
    session.sts.get_caller_identity()
    assert len(aws.calls(service="sts", operation="AssumeRole")) == 1


def test_pipelines_and_queues_of_orders_are_asked_about(place: Place, role: MakeRole) -> None:
    hub = AwsAccount.objects.get(account_id=HUB)
    queue = f"https://sqs.us-east-1.amazonaws.com/{HUB}/callbacks"
    for stage, pipeline, queue_url in (("qa", "deploy-qa", ""), ("production", "deploy-live", queue)):
        DeploymentChannel.objects.create(
            account=AwsAccount.objects.get(account_id=SPOKE),
            stage=stage,
            kind=ChannelKind.PIPELINE,
            pipeline=pipeline,
            queue_url=queue_url,
        )
    assert used_in(hub) == Uses(pipelines=("deploy-qa", "deploy-live"), callback_queues=(queue,))
    assert used_in(AwsAccount.objects.get(account_id=SPOKE)) == Uses()
    account = role(HUB, "Pipelines", "hub-role.yaml", DeploymentPipelines="deploy-qa")
    found = check(place, account)
    started = {e["resource"]: e["outcome"] for e in found.results if e["action"] == "sagemaker:StartPipelineExecution"}
    assert started == {
        f"arn:aws:sagemaker:us-east-1:{HUB}:pipeline/deploy-qa": "allowed",
        f"arn:aws:sagemaker:us-east-1:{HUB}:pipeline/deploy-live": "denied",
    }
    received = {e["resource"] for e in found.missing if e["action"] == "sqs:ReceiveMessage"}
    assert received == {f"arn:aws:sqs:us-east-1:{HUB}:callbacks"}
