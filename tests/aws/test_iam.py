"""Asking IAM what a role may do: its answers page by page, who refuses, and under which ARN it is asked."""

from __future__ import annotations

import pytest

from registry.aws import iam
from registry.aws.actions import On
from registry.aws.errors import AwsDenied, AwsNotFound
from registry.aws.regions import known_regions, partition_of
from registry.aws.session import AwsSession
from registry.services.permission_check import Place
from tests.aws.wire import Wire

ROLE = "arn:aws:iam::111111111111:role/Portal"


def page(*results: str, marker: str = "") -> bytes:
    more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>" if marker else "<IsTruncated>false</IsTruncated>"
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{''.join(results)}</EvaluationResults>{more}"
        "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    ).encode()


def result(action: str, decision: str, more: str = "") -> str:
    return (
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>"
        f"<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/>{more}</member>"
    )


BOUNDARY = (
    "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>"
    "</PermissionsBoundaryDecisionDetail>"
)
ORGANISATION = (
    "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>"
)


def test_decisions_are_read_page_by_page_with_who_refused(wire: Wire, session: AwsSession) -> None:
    first = page(result("sagemaker:Search", "allowed"), result("ram:GetPermission", "implicitDeny"), marker="m1")
    second = page(
        result("s3:GetObject", "implicitDeny", BOUNDARY),
        result("s3:PutObject", "explicitDeny", ORGANISATION),
    )
    for body in (first, second):
        wire.raw("SimulatePrincipalPolicy", 200, body)
    actions = ["sagemaker:Search", "ram:GetPermission", "s3:GetObject", "s3:PutObject"]
    found = iam.simulate(
        session, role_arn=ROLE, actions=actions, resources=["*"], context={"aws:RequestedRegion": "eu-west-1"}
    )
    assert [(d.action, d.is_allowed, d.by_boundary, d.by_organisation) for d in found] == [
        ("sagemaker:Search", True, False, False),
        ("ram:GetPermission", False, False, False),
        ("s3:GetObject", False, True, False),
        ("s3:PutObject", False, False, True),
    ]
    asked, again = wire.asked("SimulatePrincipalPolicy")
    assert asked["PolicySourceArn"] == ROLE
    assert [asked[f"ActionNames.member.{n}"] for n in (1, 2, 3, 4)] == actions
    assert asked["ContextEntries.member.1.ContextKeyName"] == "aws:RequestedRegion"
    assert asked["ContextEntries.member.1.ContextKeyValues.member.1"] == "eu-west-1"
    assert "Marker" not in asked
    assert again["Marker"] == "m1"


@pytest.mark.parametrize(
    ("code", "status", "kind"), [("AccessDenied", 403, AwsDenied), ("NoSuchEntity", 404, AwsNotFound)]
)
def test_a_refusal_has_its_name(wire: Wire, session: AwsSession, code: str, status: int, kind: type[Exception]) -> None:
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    wire.raw("SimulatePrincipalPolicy", status, body.encode())
    with pytest.raises(kind) as caught:
        iam.simulate(session, role_arn=ROLE, actions=["sagemaker:Search"], resources=["*"])
    assert getattr(caught.value, "operation", "") == "SimulatePrincipalPolicy"


@pytest.mark.parametrize(
    ("session_arn", "role"),
    [
        ("arn:aws:sts::111111111111:assumed-role/Portal/session", ROLE),
        ("arn:aws-cn:sts::111111111111:assumed-role/Portal/s", "arn:aws-cn:iam::111111111111:role/Portal"),
        ("arn:aws:iam::111111111111:user/portal", "arn:aws:iam::111111111111:user/portal"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_role_is_asked_about_and_not_its_session(session_arn: str, role: str) -> None:
    assert iam.role_of(session_arn) == role


def test_regions_are_those_of_the_partition() -> None:
    assert "eu-central-1" in known_regions("aws")
    assert known_regions("aws-cn") == {"cn-north-1", "cn-northwest-1"}
    assert not known_regions("aws-cn") & known_regions("aws")
    assert (partition_of(ROLE), partition_of("arn:aws-cn:iam::1:role/R"), partition_of("")) == ("aws", "aws-cn", "aws")


def test_what_is_asked_about_has_an_arn() -> None:
    place = Place(
        account_id="111111111111",
        region="eu-west-1",
        role_arn=ROLE,
        group="Credit-Risk",
        queue_url="https://sqs.eu-central-1.amazonaws.com/111111111111/events",
        buckets=("one", "two"),
        buses=("default", "arn:aws:events:eu-west-1:222222222222:event-bus/orders"),
        pipelines=("deploy",),
        callback_queues=("http://127.0.0.1:8003/111111111111/callbacks",),
    )
    group = "arn:aws:sagemaker:eu-west-1:111111111111:model-package-group/Credit-Risk"
    assert place.resources(On.GROUPS) == place.resources(On.ANY_GROUPS) == [group]
    assert place.resources(On.VERSIONS) == ["arn:aws:sagemaker:eu-west-1:111111111111:model-package/*"]
    assert place.resources(On.QUEUE) == ["arn:aws:sqs:eu-central-1:111111111111:events"]
    assert place.resources(On.CALLBACKS) == ["arn:aws:sqs:eu-west-1:111111111111:callbacks"]
    assert place.resources(On.BUCKETS) == ["arn:aws:s3:::one", "arn:aws:s3:::two"]
    assert place.resources(On.BUS)[1] == "arn:aws:events:eu-west-1:222222222222:event-bus/orders"
    assert place.resources(On.EXECUTIONS) == ["arn:aws:sagemaker:eu-west-1:111111111111:pipeline/deploy/execution/*"]
    assert place.resources(On.ITSELF) == [ROLE]
    assert place.resources(On.ANYTHING) == ["*"]
    for on in On:
        assert all(arn == "*" or arn.startswith("arn:aws:") for arn in place.resources(on))
