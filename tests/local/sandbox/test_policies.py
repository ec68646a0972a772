"""What a role's own policies allow: simulated beforehand, enforced at the call, and who may take the role on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from portal.local.sandbox.policies import decide
from tests.local.sandbox.test_pipelines import Line
from tests.local.sandbox.world import HUB, Aws, fresh_account, refused, specification, unique

READS = ["sagemaker:ListModelPackageGroups", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]


def statement(*actions: str, effect: str = "Allow", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(*actions: str, principal: str = HUB, **more: Any) -> str:
    named = {"AWS": f"arn:aws:iam::{principal}:root"}
    return policy({"Effect": "Allow", "Principal": named, "Action": list(actions), **more})


def role_with(aws: Aws, account: str, *statements: dict[str, Any], trusts: str = "{}") -> str:
    """Create a role with one inline policy (none without statements) and return its name."""
    iam, name = aws.client("iam", account), unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts)
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="limited", PolicyDocument=policy(*statements))
    return name


def decisions(aws: Aws, account: str, role: str, actions: list[str], **more: Any) -> dict[str, str]:
    arn = f"arn:aws:iam::{account}:role/{role}"
    found = aws.client("iam", account).simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, **more)
    assert found["IsTruncated"] is False
    return {r["EvalActionName"]: r["EvalDecision"] for r in found["EvaluationResults"]}


def test_a_simulation_names_exactly_the_actions_that_are_missing(aws: Aws) -> None:
    account = fresh_account()
    role = role_with(aws, account, statement(*READS), statement("sagemaker:ListModelPackages", effect="Deny"))
    wanted = [*READS, "sagemaker:UpdateModelPackage", "ram:GetPermission"]
    assert decisions(aws, account, role, wanted) == {
        "sagemaker:ListModelPackageGroups": "allowed",
        "sagemaker:DescribeModelPackage": "allowed",
        "sagemaker:ListModelPackages": "explicitDeny",
        "sagemaker:UpdateModelPackage": "implicitDeny",
        "ram:GetPermission": "implicitDeny",
    }
    free = role_with(aws, account)
    assert set(decisions(aws, account, free, wanted).values()) == {"allowed"}


def test_a_simulation_looks_at_managed_policies_resources_and_context(aws: Aws) -> None:
    account, iam = fresh_account(), aws.client("iam")
    iam = aws.client("iam", account)
    role = role_with(aws, account)
    group = f"arn:aws:sagemaker:us-east-1:{account}:model-package/credit/*"
    staged = {"StringEquals": {"sagemaker:ModelLifeCycle:stage": "Development"}}
    document = policy(statement("sagemaker:Update*", resource=group, Condition=staged))
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert [p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]] == [arn]
    update = ["sagemaker:UpdateModelPackage"]
    resource = [f"arn:aws:sagemaker:us-east-1:{account}:model-package/credit/1"]
    for stage, on, expected in (
        ("Development", resource, "allowed"),
        ("Production", resource, "implicitDeny"),
        ("Development", ["*"], "implicitDeny"),
    ):
        context = {"ContextKeyName": "sagemaker:ModelLifeCycle:stage", "ContextKeyType": "string"}
        found = decisions(
            aws, account, role, update, ResourceArns=on, ContextEntries=[{**context, "ContextKeyValues": [stage]}]
        )
        assert found == {update[0]: expected}
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(statement("s3:*")), SetAsDefault=True)
    assert decisions(aws, account, role, ["s3:GetObject", *update]) == {
        "s3:GetObject": "allowed",
        update[0]: "implicitDeny",
    }


def test_a_simulation_of_nobody_or_nothing_is_refused(aws: Aws) -> None:
    iam, arn = aws.client("iam"), f"arn:aws:iam::{HUB}:role/{unique('absent')}"
    with refused("NoSuchEntity"):
        iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
    for wrong in ({"PolicySourceArn": "arn:aws:iam::1:role/x"}, {"PolicySourceArn": arn.replace(HUB, "222222222222")}):
        with refused("InvalidInput"):
            iam.simulate_principal_policy(ActionNames=["s3:GetObject"], **wrong)
    role = role_with(aws, HUB, statement("s3:*"))
    with refused("InvalidInput"):
        iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{HUB}:role/{role}", ActionNames=["garbled"])
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=f"arn:aws:iam::{HUB}:role/{role}",
        ActionNames=["s3:GetObject", "ram:GetPermission", "s3:PutObject"],
        PaginationConfig={"PageSize": 2},
    )
    assert [[r["EvalDecision"] for r in p["EvaluationResults"]] for p in pages] == [
        ["allowed", "implicitDeny"],
        ["allowed"],
    ]


def test_a_role_is_held_to_its_policy_in_every_service(aws: Aws) -> None:
    account = fresh_account()
    group, bucket = aws.group(account), unique("bucket")
    arn, name = aws.version(group, account), group.rsplit("/", 1)[1]
    aws.client("s3", account).create_bucket(Bucket=bucket)
    package = f"arn:aws:sagemaker:us-east-1:{account}:model-package/{name}/*"
    role = role_with(
        aws,
        account,
        statement(*READS, "sqs:CreateQueue"),
        statement("sagemaker:UpdateModelPackage", resource=package),
        statement("sagemaker:CreateModelPackage", resource=[group, package]),
        statement("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/open/*"),
    )
    sagemaker, s3, ram, sqs = (aws.client(s, account, role) for s in ("sagemaker", "s3", "ram", "sqs"))
    sagemaker.list_model_packages(ModelPackageGroupName=name)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model_package(ModelPackageGroupName=name, InferenceSpecification=specification())
    with refused("AccessDeniedException") as message:
        sagemaker.delete_model_package(ModelPackageName=arn)
    assert "sagemaker:DeleteModelPackage" in message()
    assert f"assumed-role/{role}/somebody" in message()
    with refused("AccessDeniedException"):
        sagemaker.search(Resource="ModelPackage")
    aws.client("s3", account).put_object(Bucket=bucket, Key="open/a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"x"
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("AccessDenied", lambda: s3.get_object(Bucket=bucket, Key="a")),
        ("AccessDenied", lambda: s3.put_object(Bucket=bucket, Key="open/a", Body=b"y")),
        ("AccessDeniedException", lambda: ram.get_resource_shares(resourceOwner="SELF")),
        ("AccessDeniedException", sqs.list_queues),
    ]
    for refusing, call in calls:
        with refused(refusing):
            call()
    sqs.create_queue(QueueName=unique("queue"))
    assert aws.client("sts", account, role).get_caller_identity()["Account"] == account
    assert aws.read(arn, account)["ModelApprovalStatus"] == "Approved"  # by a role IAM does not know, as before


def test_a_stage_can_be_kept_from_a_role(aws: Aws) -> None:
    account = fresh_account()
    arn = aws.version(aws.group(account), account)
    production = {"StringEquals": {"sagemaker:ModelLifeCycle:stage": "Production"}}
    role = role_with(
        aws, account, statement("sagemaker:*"), statement("sagemaker:*", effect="Deny", Condition=production)
    )
    sagemaker = aws.client("sagemaker", account, role)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelLifeCycle={"Stage": "QA", "StageStatus": "Approved"})
    with refused("AccessDeniedException") as message:
        sagemaker.update_model_package(
            ModelPackageArn=arn, ModelLifeCycle={"Stage": "Production", "StageStatus": "Approved"}
        )
    assert "explicit deny" in message()


def test_a_role_is_taken_on_only_as_its_trust_policy_says(aws: Aws) -> None:
    account = fresh_account()
    known = {"StringEquals": {"sts:ExternalId": "the-portal"}}
    both = trust("sts:AssumeRole", "sts:SetSourceIdentity", Condition=known)
    role, mute = role_with(aws, account, trusts=both), role_with(aws, account, trusts=trust("sts:AssumeRole"))
    aws.assume(account, role, ExternalId="the-portal", SourceIdentity="portal")
    aws.assume(account, mute)
    for name, more in (
        (role, {}),
        (role, {"ExternalId": "another"}),
        (mute, {"SourceIdentity": "portal"}),
    ):
        with refused("AccessDenied") as message:
            aws.assume(account, name, **more)
    assert "sts:SetSourceIdentity" in message()
    aws.assume(account, unique("absent"), ExternalId="another", SourceIdentity="portal")


@pytest.mark.parametrize(("account", "lets"), [(HUB, True), ("222222222222", False)])
def test_a_trust_policy_names_who_may(aws: Aws, account: str, lets: bool) -> None:
    role = role_with(aws, HUB, trusts=trust("sts:AssumeRole", principal=HUB))
    sts = aws.client("sts", account)
    asked = {"RoleArn": f"arn:aws:iam::{HUB}:role/{role}", "RoleSessionName": "chained"}
    if lets:
        sts.assume_role(**asked)
    else:
        with refused("AccessDenied"):
            sts.assume_role(**asked)


@pytest.mark.parametrize(
    ("condition", "context", "said"),
    [
        ({"StringLike": {"k": "a*"}}, {"k": "abc"}, "allowed"),
        ({"StringLike": {"k": ["x*", "a*"]}}, {"K": "abc"}, "allowed"),
        ({"StringNotEquals": {"k": "a"}}, {}, "allowed"),
        ({"StringEquals": {"k": "a"}}, {}, "implicitDeny"),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, "allowed"),
        ({"Null": {"k": "true"}}, {}, "allowed"),
        ({"Null": {"k": "true"}}, {"k": "a"}, "implicitDeny"),
        ({"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ["a", "b"]}, "allowed"),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ["a", "b"]}, "implicitDeny"),
        ({"Bool": {"k": True}}, {"k": "true"}, "allowed"),
        ({"NumericLessThan": {"k": "5"}}, {"k": "4"}, "allowed"),
        ({"NumericLessThan": {"k": "5"}}, {"k": "many"}, "implicitDeny"),
        ({"SomethingElse": {"k": "a"}}, {"k": "a"}, "implicitDeny"),
        ("garbled", {}, "implicitDeny"),
    ],
)
def test_a_condition(condition: Any, context: dict[str, Any], said: str) -> None:
    assert decide([statement("s3:*", Condition=condition)], "s3:GetObject", "*", context) == said


@pytest.mark.parametrize(
    ("one", "action", "resource", "said"),
    [
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "ram:GetPermission", "*", "allowed"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "s3:GetObject", "*", "implicitDeny"),
        ({"Effect": "Allow", "Action": "S3:get*", "NotResource": "arn:b"}, "s3:GetObject", "arn:a", "allowed"),
        ({"Effect": "Allow", "Action": "s3:Get?bject", "Resource": "arn:[a]"}, "s3:GetObject", "arn:a", "implicitDeny"),
        ({"Effect": "Allow", "Resource": "*"}, "s3:GetObject", "*", "implicitDeny"),
    ],
)
def test_a_statement(one: dict[str, Any], action: str, resource: str, said: str) -> None:
    assert decide([one], action, resource, {}) == said


def test_parts_versions_and_sources_take_the_rights_s3_asks_for(aws: Aws) -> None:
    account, bucket, elsewhere = fresh_account(), unique("bucket"), unique("source")
    own, place = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"
    writes = statement("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", resource=place)
    lists = statement("s3:ListBucketMultipartUploads", resource=own)
    everybody = aws.client("s3", account)
    for name in (bucket, elsewhere):
        everybody.create_bucket(Bucket=name)
    everybody.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    everybody.put_object(Bucket=elsewhere, Key="model", Body=b"x")
    version = everybody.put_object(Bucket=bucket, Key="model", Body=b"x")["VersionId"]
    part = {"Bucket": bucket, "Key": "copy", "PartNumber": 1, "CopySource": {"Bucket": elsewhere, "Key": "model"}}

    s3 = aws.client("s3", account, role_with(aws, account, writes, lists))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    for refusing, call in (
        (
            f"s3:GetObject on resource: arn:aws:s3:::{elsewhere}/model",
            lambda: s3.upload_part_copy(**part, UploadId=upload),
        ),
        ("s3:ListMultipartUploadParts", lambda: s3.list_parts(Bucket=bucket, Key="copy", UploadId=upload)),
        ("s3:GetObjectVersion", lambda: s3.get_object(Bucket=bucket, Key="model", VersionId=version)),
        ("s3:DeleteObject ", lambda: s3.delete_object(Bucket=bucket, Key="model")),
        ("s3:DeleteObjectVersion", lambda: s3.delete_object(Bucket=bucket, Key="model", VersionId=version)),
    ):
        with refused("AccessDenied") as message:
            call()
        assert refusing in message()

    source = statement("s3:GetObject", resource=f"arn:aws:s3:::{elsewhere}/*")
    s3 = aws.client("s3", account, role_with(aws, account, writes, source))
    assert s3.upload_part_copy(**part, UploadId=upload)["CopyPartResult"]["ETag"]


def test_a_callback_is_answered_with_a_right_on_its_execution(aws: Aws) -> None:
    line = Line(aws)
    arn, token = line.start(), line.message()["token"]
    answering = "sagemaker:SendPipelineExecutionStepSuccess"
    here = f"arn:aws:sagemaker:us-east-1:{line.account}:pipeline"
    for pipeline, may in (("train-*", False), ("deploy*", True)):
        role = role_with(aws, line.account, statement(answering, resource=f"{here}/{pipeline}/execution/*"))
        sagemaker = aws.client("sagemaker", line.account, role)
        with nullcontext() if may else refused("AccessDeniedException"):
            sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert line.status(arn) == "Succeeded"
