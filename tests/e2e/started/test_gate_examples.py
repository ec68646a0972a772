"""The gate's examples, run against a started portal: allowed they deploy, denied or without an answer they stop."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.cli.scripted import Answer, serving

from . import scientist
from .conftest import StartedPortal
from .pipelines import EXAMPLES, Run, StepFailed, codebuild, executable, github, sagemaker
from .terminal import ACCOUNTS, DOWN, PRODUCTION, Person, comes_in, question

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the people of this module keep their tokens."""
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def approved_in_development(started_portal: StartedPortal, terminals: Path) -> str:
    """The ARN of a version that may run in development and nowhere else."""
    dana = Person(started_portal, terminals, "data.scientist")
    arn = scientist.register(started_portal.sandbox, artifact="s3://ml-artifacts-hub/credit-risk/model.tar.gz")
    comes_in(dana, arn)
    asked = dana.json("version", "submit", arn)["id"]
    Person(started_portal, terminals, "model.owner").types("approve", asked)
    return arn


class Workspace:
    """The repository of somebody who deploys by an example, and the values its pipeline is given."""

    def __init__(self, folder: Path, portal: StartedPortal, person: Person, token: str, arn: str) -> None:
        self.folder, self.portal, self.person, self.token, self.arn = folder, portal, person, token, arn
        keys = json.dumps(person.types("api", "GET", "gate/keys/").json)
        for place in ("", "ci"):
            (folder / place).mkdir(exist_ok=True)
            shutil.copy(EXAMPLES / "verify_gate.py", folder / place)
            (folder / place / "governance-jwks.json").write_text(keys)
        executable(folder / "deploy.sh", '#!/bin/sh\necho "$1 $2" > deployed\n')
        # The AWS command line, as far as the example uses it: a copy to S3, here by boto3 to the sandbox.
        executable(
            folder / "bin" / "aws",
            f"#!{sys.executable}\nimport sys, boto3\n_, s3, cp, file, uri = sys.argv\nassert (s3, cp) == ('s3', 'cp')\n"
            "boto3.client('s3').upload_file(file, *uri.removeprefix('s3://').split('/', 1))\n",
        )
        keys_of_aws = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        self.aws = {**keys_of_aws, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": portal.sandbox}
        self.bucket = boto3.client(
            "s3",
            endpoint_url=portal.sandbox,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self.bucket.create_bucket(Bucket="gate-evidence")

    def run(self) -> Run:
        """Begin a run: nothing is deployed, nothing is kept."""
        for name in ("deployed", "gate.jws"):
            (self.folder / name).unlink(missing_ok=True)
        return Run(self.folder, {**self.aws, "GOVERNANCE_RETRIES": "0"})

    @property
    def deployed(self) -> str:
        file = self.folder / "deployed"
        return file.read_text() if file.exists() else ""

    def kept(self, key: str) -> str:
        """Return a signed answer out of the bucket."""
        return self.bucket.get_object(Bucket="gate-evidence", Key=key)["Body"].read().decode().strip()


@pytest.fixture(scope="module")
def workspace(
    started_portal: StartedPortal,
    terminals: Path,
    approved_in_development: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Workspace:
    engineer, admin = (Person(started_portal, terminals, name) for name in ("ml.engineer", "ml.admin"))
    # The pipelines ask as a service account, with a token that may only read.
    described = terminals / "account.json"
    roles = [{"role": "ml_engineer", "project": "credit-risk"}]
    wanted = {"name": "deploys", "purpose": "Asks the gate.", "responsible": "ml.engineer", "roles": roles}
    described.write_text(json.dumps(wanted))
    account = admin.types("api", "POST", "service-accounts/", "--body", str(described)).json["id"]
    made = ["api", "POST", f"service-accounts/{account}/tokens/", "name=gate", "is_read_only=true"]
    token = admin.types(*made).json["token"]
    return Workspace(tmp_path_factory.mktemp("workspace"), started_portal, engineer, token, approved_in_development)


CASES = pytest.mark.parametrize("case", ["allow", "deny", "down"])


def _asked(workspace: Workspace, case: str) -> tuple[str, str, str]:
    """Return stage and account to ask about, and where: allowed, denied, or nobody there to answer."""
    stage = "production" if case == "deny" else "development"
    return stage, ACCOUNTS[stage], DOWN if case == "down" else workspace.portal.url


def _judged(workspace: Workspace, case: str, done: Run) -> None:
    assert done.passed == (case == "allow"), done.printed
    assert workspace.deployed == (f"{workspace.arn} development\n" if case == "allow" else "")
    if case == "down":
        assert "cannot be reached" in done.printed
        assert not (workspace.folder / "gate.jws").exists()
    if case == "deny":
        reasons = workspace.person.json("gate", *question(workspace.arn, "production"), code=1)["reasons"]
        assert len(reasons) > 1
        for reason in reasons:
            assert f"{reason['rule']}: {reason['detail']} [{reason['code']}]" in done.printed


@CASES
def test_github_deploys_after_the_gates_allow_alone(workspace: Workspace, case: str) -> None:
    stage, account, url = _asked(workspace, case)
    values = {
        "vars.GOVERNANCE_URL": url,
        "vars.GOVERNANCE_CLIENT": "governance-cli",
        "secrets.GOVERNANCE_TOKEN": workspace.token,
        "inputs.arn": workspace.arn,
        "inputs.stage": stage,
        "inputs.account": account,
    }
    done = github(EXAMPLES / "github-actions" / "deploy-model.yml", workspace.run(), values)
    _judged(workspace, case, done)
    assert [script.split()[0] for script in done.scripts] == (
        ["governance", "python", "./deploy.sh"] if case == "allow" else ["governance"]
    )


@CASES
def test_codepipeline_deploys_after_the_gates_allow_alone(workspace: Workspace, case: str) -> None:
    stage, account, url = _asked(workspace, case)
    asked = {"ARN": workspace.arn, "STAGE": stage, "ACCOUNT": account}
    given = {
        "GOVERNANCE_URL": url,
        "GOVERNANCE_CLIENT": "governance-cli",
        "GOVERNANCE_TOKEN": workspace.token,
        "EVIDENCE": "s3://gate-evidence/gate",
        "EXECUTION": case,
    }
    done = codebuild(EXAMPLES / "codepipeline" / "buildspec-gate.yml", workspace.run(), asked | given)
    if case != "down":
        assert workspace.kept(f"gate/{case}.jws") == (workspace.folder / "gate.jws").read_text().strip()
    if done.passed:
        artifact = {"CODEBUILD_SRC_DIR_Gate": str(workspace.folder)}
        codebuild(EXAMPLES / "codepipeline" / "buildspec-deploy.yml", done, asked | artifact)
    _judged(workspace, case, done)


def test_what_was_allowed_elsewhere_does_not_deploy(workspace: Workspace) -> None:
    """The kept answer is verified again before anything is deployed: it is for one version, stage and account."""
    done = workspace.run()
    asked = ["gate", *question(workspace.arn, "development"), "--save", str(workspace.folder / "gate.jws")]
    workspace.person.types(*asked)
    env = {"ARN": workspace.arn, "STAGE": "production", "ACCOUNT": PRODUCTION, "CODEBUILD_SRC_DIR_Gate": "."}
    codebuild(EXAMPLES / "codepipeline" / "buildspec-deploy.yml", done, env)
    assert (done.passed, workspace.deployed) == (False, "")
    assert "refused: Audience doesn't match" in done.printed


@CASES
def test_a_sagemaker_pipeline_deploys_after_the_gates_allow_alone(
    workspace: Workspace, case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage, account, url = _asked(workspace, case)
    deployed: list[Any] = []
    for name in ("ask_gate.py", "pipeline.py"):
        shutil.copy(EXAMPLES / "sagemaker-pipelines" / name, tmp_path)
    shutil.copy(workspace.folder / "governance-jwks.json", tmp_path)
    pipeline = _module(tmp_path / "pipeline.py").definition("arn:ask", "arn:deploy")
    functions = {
        "arn:ask": _module(tmp_path / "ask_gate.py").handler,
        "arn:deploy": lambda event, _: deployed.append(event),
    }
    for name, value in {**workspace.aws, "GOVERNANCE_URL": url, "EVIDENCE_BUCKET": "gate-evidence"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOVERNANCE_TOKEN_SECRET", "governance-gate-token")
    with serving() as secrets:
        # Secrets Manager, as far as the example uses it: the sandbox has none.
        secrets.will(Answer({"SecretString": workspace.token}, content_type="application/x-amz-json-1.1"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url)
        parameters = {"ModelPackageArn": workspace.arn, "Stage": stage, "Account": account}
        if case == "allow":
            assert sagemaker(pipeline, functions, parameters) == ["AskGate", "OnlyIfAllowed", "Deploy"]
        else:
            with pytest.raises(StepFailed) as failed:
                sagemaker(pipeline, functions, parameters)
    if case == "allow":
        (event,) = deployed
        assert event["model_package_arn"] == workspace.arn
        assert workspace.kept(event["attestation"].removeprefix("s3://gate-evidence/")).count(".") == 2
        return
    assert deployed == []
    if case == "deny":
        reasons = workspace.person.json("gate", *question(workspace.arn, stage), code=1)["reasons"]
        expected = ["The gate denies.", *(f"{reason['rule']}: {reason['detail']}" for reason in reasons)]
        assert str(failed.value).splitlines() == expected
    else:
        assert "AskGate: " in str(failed.value)
        assert "refused" in str(failed.value)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
