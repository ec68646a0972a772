"""Pipelines, permissions, organisations and seeds are there after a kill; what was seeded to be forgotten is not."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.local.sandbox.test_permissions import READ, create, organization, seen_by, shared
from tests.local.sandbox.test_pipelines import Line
from tests.local.sandbox.test_seeding import listed, post
from tests.local.sandbox.world import fresh_account, refused, running, unique


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as aws:
        management, owner, spoke, seeded = (fresh_account() for _ in range(4))
        line, token = Line(aws), unique("token") + "x" * 32
        released, waiting = line.start(), line.start(token)
        made = organization(aws, management, {owner: None, spoke: "workloads"})
        aws.client("ram", management).enable_sharing_with_aws_organization()
        permission, group = create(aws, owner, *READ), aws.group(owner)
        shared(aws, owner, group, made["units"]["workloads"], permissionArns=[permission])
        statement = {"Effect": "Allow", "Principal": {"AWS": spoke}, "Action": READ, "Resource": "*"}
        aws.client("sagemaker", owner).put_model_package_group_policy(
            ModelPackageGroupName=group.rsplit("/", 1)[1], ResourcePolicy=json.dumps({"Statement": [statement]})
        )
        iam, role = aws.client("iam", owner), unique("role")
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName="s3", PolicyDocument=json.dumps(document))
        post(aws, "seed", account=seeded, groups=1, versions_per_group=3, prefix="kept", persist=True)
        post(aws, "seed", account=seeded, groups=1, versions_per_group=3, prefix="fleeting")
        post(aws, "touch", account=seeded, versions=6)
        aws.version("fleeting-00001", seeded)

        aws.stop(signal.SIGKILL)
        aws.start()

        assert line.start(token) == waiting
        tokens = {m["pipelineExecutionArn"]: m["token"] for m in aws.received(line.queue, line.account)}
        line.sagemaker.send_pipeline_execution_step_success(CallbackToken=tokens[released])
        assert (line.status(released), line.status(waiting)) == ("Succeeded", "Executing")
        assert seen_by(aws, spoke) == [group]
        shares = aws.client("ram", owner).get_resource_shares(resourceOwner="SELF")["resourceShares"]
        assert {s["featureSet"] for s in shares} == {"STANDARD", "CREATED_FROM_POLICY"}
        assert organization(aws, management, {spoke: None})["accounts"] == sorted([management, owner, spoke])
        assert seen_by(aws, spoke) == []
        with refused("AccessDeniedException"):
            aws.client("sagemaker", owner, role).list_model_package_groups()
        groups = aws.client("sagemaker", seeded).list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert [g["ModelPackageGroupName"] for g in groups] == ["kept-00001"]
        kept = listed(aws, seeded, ModelPackageType="Versioned")
        assert [aws.read(arn, seeded)["ModelApprovalStatus"] for arn in kept] == ["Approved"] * 3
        assert aws.version("kept-00001", seeded).endswith("/4")
