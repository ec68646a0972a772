"""The story through the command `governance` alone, and the gate's examples, against a started portal."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.cli.run import Done, run
from tests.cli.scripted import Answer, serving

from . import scientist
from .conftest import StartedPortal, eventually
from .pages import PASSWORD
from .pipelines import EXAMPLES, Run, StepFailed, codebuild, executable, github, sagemaker

pytestmark = pytest.mark.e2e

DEVELOPMENT, TEST, PRODUCTION = "222222222222", "333333333333", "444444444444"
ACCOUNTS = {"development": DEVELOPMENT, "qa": TEST, "pre_production": TEST, "production": PRODUCTION}
Types = Callable[..., Done]


class Person:
    """Somebody at a terminal, signed in by password; the token lies in a configuration folder of his own."""

    def __init__(self, portal: StartedPortal, folder: Path, name: str) -> None:
        self.env = {"XDG_CONFIG_HOME": str(folder / name), "GOVERNANCE_URL": None, "GOVERNANCE_TOKEN": None}
        done = run("--url", portal.url, "login", "-u", name, typed=f"{PASSWORD}\n", env=self.env)
        assert done.code == 0, done.err
        self.token = str(json.loads((folder / name / "governance" / "token.json").read_text())["token"])

    def types(self, *words: str, code: int = 0) -> Done:
        """Type a command, and see it end with that code."""
        done = run(*words, env=self.env)
        assert done.code == code, f"{words}: {done.code}\n{done.out}{done.err}"
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """Type a command with --json, and return what it shows."""
        return self.types(*words, "--json", code=code).json


@pytest.fixture(scope="module")
def people(started_portal: StartedPortal, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Person]:
    """Sign people in, each once."""
    folder, known = tmp_path_factory.mktemp("people"), dict[str, Person]()

    def enter(name: str) -> Person:
        if name not in known:
            known[name] = Person(started_portal, folder, name)
        return known[name]

    return enter


@pytest.fixture(scope="module")
def approved_in_development(started_portal: StartedPortal, people: Callable[[str], Person]) -> str:
    """The ARN of a version that may run in development and nowhere else."""
    dana = people("data.scientist")
    arn = scientist.register(started_portal.sandbox, artifact="s3://ml-artifacts-hub/credit-risk/model.tar.gz")
    _comes_in(dana, arn)
    asked = dana.json("version", "submit", arn)["id"]
    people("model.owner").types("approve", asked)
    return arn


def test_from_an_idea_to_a_deployed_model(started_portal: StartedPortal, people: Callable[[str], Person]) -> None:
    dana, owner, engineer = people("data.scientist"), people("model.owner"), people("ml.engineer")
    officers = [people("governance.officer"), people("second.officer")]
    assert dana.json("whoami")["project_roles"] == {"credit-risk": ["data_scientist"]}

    # A use case is registered, classified, refused, reworked, approved.
    words = ["--name", "Overdraft limits", "--project", "credit-risk", "--purpose", "Propose limits for review."]
    use_case = dana.json("use-case", "register", *words)["id"]
    assert "not classified" in dana.types("use-case", "submit", use_case, code=2).err
    officers[0].types("use-case", "classify", use_case, "--risk-class", "limited", "--reason", "Supports people.")
    asked = dana.json("use-case", "submit", use_case, "--note", "Please look.")["id"]
    assert "(403 self-approval)" in dana.types("approve", asked, code=2).err
    assert "comment: " in owner.types("reject", asked, code=2).err
    owner.types("reject", asked, "--comment", "Say who oversees it.")
    dana.types("use-case", "describe", use_case, "human_oversight", "--text", "Analysts see every limit.")
    asked = dana.json("use-case", "submit", use_case)["id"]
    owner.types("approve", asked)
    shown = dana.types("use-case", "show", use_case).out
    assert "Stage             development\nStatus            pending\n" in shown
    assert use_case in dana.types("use-case", "list", "--search", "Overdraft").out

    # A version comes in from a notebook in the development account, and one through the portal.
    arn = scientist.register(started_portal.sandbox, use_case_id=use_case)
    _comes_in(dana, arn)
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    container = ["--image", image, "--model-data", "s3://ml-artifacts-hub/credit-risk/model.tar.gz"]
    types = ["--content-type", "text/csv", "--response-type", "text/csv"]
    made = dana.json("version", "register", "--group", "credit-risk", *container, *types, "--reference", use_case)
    again = dana.json("version", "register", "--group", "credit-risk", *container, *types, "--reference", use_case)
    assert again["model_package_arn"] == made["model_package_arn"]
    assert dana.types("version", "show", made["name"]).out.startswith(f"{made['name']}\nNumber")

    # Nothing may run anywhere yet; the gate says why, stage by stage.
    for stage in ACCOUNTS:
        _gate(engineer, arn, stage, 1)

    # Development: the model owner approves, and nobody else.
    asked = dana.json("version", "submit", arn, "--note", "AUC 0.78 on the holdout")["id"]
    assert asked in owner.types("approval", "list", "--queue", "mine").out
    dana.types("approve", asked, code=2)
    officers[0].types("approve", asked, code=2)
    said = owner.types("approve", asked, "--comment", "Good work.").out
    assert said == f"approve by model.owner as model_owner: {asked} is approved.\n"
    assert "(409 request-closed)" in owner.types("approve", asked, code=2).err

    for kind in ("bias_report", "explainability_report"):
        report = Path(dana.env["XDG_CONFIG_HOME"] or "") / f"{kind}.json"
        report.write_text('{"version": "1.0"}')
        dana.types("evidence", "upload", str(report), "--kind", kind, "--version", arn)
    kinds = {row["kind"] for row in dana.json("evidence", "list", "--arn", arn)}
    assert {"bias_report", "explainability_report"} <= kinds

    # Each later stage: trial deployment, results, as many officers as the policy asks for.
    for stage, following in (("qa", "pre_production"), ("pre_production", "production"), ("production", "")):
        (deployment,) = engineer.json("deployment", "list", "--arn", arn, "--stage", stage)
        report_it = ["deployment", "report", str(deployment["id"]), "--status", "deployed"]
        if following:
            engineer.types(*report_it, "--endpoint", f"overdraft-{stage}")
        pushed = engineer.json(
            "metrics", "push", "--version", arn, "--stage", stage, "auc=0.77", "--source", "test suite"
        )
        assert pushed["validation_metrics"] == {"auc": 0.77}
        needed = dana.json("version", "requirements", arn, "--stage", stage)
        assert [check["key"] for check in needed["checks"] if check["outcome"] != "pass"] == []
        (need,) = needed["approvals"]
        asked = dana.json("version", "submit", arn)["id"]
        owner.types("approve", asked, code=2)
        _gate(engineer, arn, stage, 1)
        states = [officer.json("approve", asked)["request"]["state"] for officer in officers[: need["count"]]]
        assert states == [*["open"] * (need["count"] - 1), "approved"]
        _gate(engineer, arn, stage, 0)
        if following:
            _gate(engineer, arn, following, 1)
    engineer.types(*report_it, "--endpoint", "overdraft-production")
    monitored = [
        "metrics",
        "push",
        "--version",
        arn,
        "--stage",
        "production",
        "--monitoring",
        "--endpoint",
        "overdraft",
    ]
    engineer.types(*monitored, "drift=0.02")

    # The table says all of it; so does the trail, to the auditor.
    rows = dana.json("stage", "list", "--arn", arn)
    assert [(row["model_stage"], row["model_status"]) for row in rows] == [
        ("production", "deployed"),
        ("pre_production", "approved"),
        ("qa", "approved"),
        ("development", "approved"),
    ]
    assert rows[0]["use_case_id"] == use_case
    assert rows[0]["monitoring_metrics"]["metrics"] == {"drift": 0.02}
    assert arn in dana.types("stage", "list", "--arn", arn, "--csv").out
    assert people("auditor").types("api", "GET", "audit-events/verify/").json["first_bad_sequence"] is None


def test_sync_brings_a_version_in_and_says_how_it_went(
    started_portal: StartedPortal, people: Callable[[str], Person]
) -> None:
    engineer = people("ml.engineer")
    arn = scientist.register(started_portal.sandbox, artifact="s3://ml-artifacts-hub/credit-risk/model.tar.gz")
    (ended,) = engineer.json("sync", "111111111111", "--wait", "--patience", "60")
    assert (ended["state"], ended["error"]) == ("succeeded", "")
    assert len(engineer.json("version", "list", "--arn", arn)) == 1
    assert "(403 forbidden)" in people("data.scientist").types("sync", code=2).err


def test_a_token_that_was_revoked_asks_nothing_more(started_portal: StartedPortal, tmp_path: Path) -> None:
    officer = Person(started_portal, tmp_path, "governance.officer")
    assert officer.types("logout").out.endswith("the token is revoked.\n")
    refused = run(
        "whoami", env={**officer.env, "GOVERNANCE_URL": started_portal.url, "GOVERNANCE_TOKEN": officer.token}
    )
    assert refused.code == 2
    assert "(401 authentication-failed)" in refused.err


class Workspace:
    """The repository of somebody who deploys by an example, and the values its pipeline is given."""

    def __init__(self, folder: Path, portal: StartedPortal, person: Person, arn: str) -> None:
        self.folder, self.portal, self.person, self.arn = folder, portal, person, arn
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
    people: Callable[[str], Person],
    approved_in_development: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Workspace:
    folder = tmp_path_factory.mktemp("workspace")
    return Workspace(folder, started_portal, people("ml.engineer"), approved_in_development)


DOWN = "http://127.0.0.1:1"
CASES = pytest.mark.parametrize("case", ["allow", "deny", "down"])
NEVER = "has never reached Production"


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
        reasons = workspace.person.json("gate", *_question(workspace.arn, "production"), code=1)["reasons"]
        assert len(reasons) > 1
        for reason in reasons:
            assert f"{reason['rule']}: {reason['detail']} [{reason['code']}]" in done.printed


@CASES
def test_github_deploys_after_the_gates_allow_alone(workspace: Workspace, case: str) -> None:
    stage, account, url = _asked(workspace, case)
    values = {
        "vars.GOVERNANCE_URL": url,
        "vars.GOVERNANCE_CLIENT": "governance-cli",
        "secrets.GOVERNANCE_TOKEN": workspace.person.token,
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
        "GOVERNANCE_TOKEN": workspace.person.token,
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
    asked = ["gate", *_question(workspace.arn, "development"), "--save", str(workspace.folder / "gate.jws")]
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
        secrets.will(Answer({"SecretString": workspace.person.token}, content_type="application/x-amz-json-1.1"))
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
        reasons = workspace.person.json("gate", *_question(workspace.arn, stage), code=1)["reasons"]
        expected = ["The gate denies.", *(f"{reason['rule']}: {reason['detail']}" for reason in reasons)]
        assert str(failed.value).splitlines() == expected
    else:
        assert "AskGate: " in str(failed.value)
        assert "refused" in str(failed.value)


def _comes_in(person: Person, arn: str) -> None:
    eventually(lambda: person.json("version", "list", "--arn", arn), "the version by event", seconds=20)


def _question(arn: str, stage: str) -> list[str]:
    return ["--arn", arn, "--stage", stage, "--account", ACCOUNTS[stage]]


def _gate(person: Person, arn: str, stage: str, code: int) -> None:
    """Ask the gate, and see it end with that code; a deny names a rule, and both are signed."""
    answer = person.json("gate", *_question(arn, stage), "--verify", code=code)
    assert answer["decision"] == ("deny" if code else "allow")
    assert bool(answer["reasons"]) == bool(code)
    assert answer["verified"] is True


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
