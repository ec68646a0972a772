"""The story through the command `governance` alone, against a started portal."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import run

from . import scientist
from .conftest import StartedPortal, eventually
from .terminal import ACCOUNTS, DOWN, Person, comes_in, question

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def people(started_portal: StartedPortal, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Person]:
    """Sign people in, each once."""
    folder, known = tmp_path_factory.mktemp("people"), dict[str, Person]()

    def enter(name: str) -> Person:
        if name not in known:
            known[name] = Person(started_portal, folder, name)
        return known[name]

    return enter


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
    comes_in(dana, arn)
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
    auditor = people("auditor")
    assert auditor.types("api", "GET", "audit-events/verify/").json["first_bad_sequence"] is None
    _a_pack_of_it_is_sound(auditor, use_case, Path(auditor.env["XDG_CONFIG_HOME"] or ""))


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


def _a_pack_of_it_is_sound(auditor: Person, use_case: str, folder: Path) -> None:
    """An auditor builds a pack and verifies it, offline; one byte more, and it is not sound."""
    pack = auditor.types("api", "POST", "audit-packs/", "scope=use_case", f"use_case={use_case}").json["id"]
    built = eventually(lambda: _built(auditor, pack), "the audit pack", seconds=60)
    file = folder / "pack.zip"
    auditor.types("api", "GET", f"audit-packs/{pack}/file/", "--output", str(file))
    named = ["--sha256", built["sha256"], "--key-id", built["key_id"]]
    offline = {"GOVERNANCE_URL": DOWN, "GOVERNANCE_TOKEN": None}
    sound = run("verify-pack", str(file), *named, env=offline)
    assert (sound.code, sound.out.splitlines()[-1]) == (0, "SOUND."), sound.out
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("evidence/more.txt", "x")
    altered = run("verify-pack", str(file), "--json", env=offline)
    assert (altered.code, altered.json["is_sound"]) == (1, False)
    assert "evidence/more.txt" in str(altered.json["problems"])


def _built(auditor: Person, pack: str) -> dict[str, Any] | None:
    shown = auditor.types("api", "GET", f"audit-packs/{pack}/").json
    assert shown["state"] != "failed", shown["problem"]
    return dict(shown) if shown["filename"] and shown["sha256"] else None


def _gate(person: Person, arn: str, stage: str, code: int) -> None:
    """Ask the gate, and see it end with that code; a deny names a rule, and both are signed."""
    answer = person.json("gate", *question(arn, stage), "--verify", code=code)
    assert answer["decision"] == ("deny" if code else "allow")
    assert bool(answer["reasons"]) == bool(code)
    assert answer["verified"] is True
