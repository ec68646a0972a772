"""What commands send for what was typed, and what they refuse before anything is sent."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from governance_cli import sync, versions

from .run import Done
from .scripted import Answer, Server

Governance = Callable[..., Done]
ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/3"
RECORD = {"model_group": "credit-risk", "model_version": 3, "model_stage": "qa"}


def _rows(*rows: dict[str, Any]) -> Answer:
    return Answer({"results": list(rows), "next": None})


def test_metrics_are_numbers_as_they_were_written(governance: Governance, server: Server) -> None:
    twice = {"id": 7, "account": "333333333333"}
    server.will(_rows(twice, twice), Answer(RECORD, status=201))
    done = governance("metrics", "push", "--version", ARN, "--stage", "qa", "auc=0.77", "n=12", "drift=null", "by=xgb")
    assert done.out == "4 validation metrics of credit-risk/3 at qa are reported.\n"
    found, pushed = server.asked
    assert found.query == {"model_package_arn": ARN, "model_stage": "qa", "page_size": "200"}
    assert pushed.path == "/api/v1/stage-records/7/validation-metrics/"
    assert pushed.json == {"metrics": {"auc": 0.77, "n": 12, "drift": None, "by": "xgb"}}


def test_metrics_of_a_file_and_of_monitoring(governance: Governance, server: Server, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"bias": {"DI": 0.9}, "auc": 0.5}')
    server.will(Answer(RECORD, status=201))
    words = ["--monitoring", "--endpoint", "e", "--captured-at", "2026-11-21T10:00:00Z", "auc=0.8"]
    assert governance("metrics", "push", "--record", "7", "--file", str(tmp_path / "m.json"), *words).code == 0
    assert server.asked[0].path == "/api/v1/stage-records/7/monitoring-metrics/"
    assert server.asked[0].json == {
        "metrics": {"bias": {"DI": 0.9}, "auc": 0.8},
        "endpoint": "e",
        "captured_at": "2026-11-21T10:00:00Z",
    }


def test_metrics_go_to_one_place_only(governance: Governance, server: Server) -> None:
    server.will(_rows({"id": 7, "account": "333333333333"}, {"id": 8, "account": "444444444444"}))
    done = governance("metrics", "push", "--version", ARN, "--stage", "qa", "auc=1")
    assert done.code == 2
    assert "7 in 333333333333, 8 in 444444444444" in done.err
    server.will(_rows())
    assert "does not stand at qa" in governance("metrics", "push", "--version", ARN, "--stage", "qa", "auc=1").err


@pytest.mark.parametrize(
    "words",
    [
        ["metrics", "push", "--record", "7"],
        ["metrics", "push", "--record", "7", "auc"],
        ["metrics", "push", "--record", "7", "auc=1", "auc=2"],
        ["metrics", "push", "--record", "7", "auc=NaN"],
        ["metrics", "push", "auc=1"],
        ["metrics", "push", "--record", "7", "auc=1", "--endpoint", "e"],
        ["metrics", "push", "--record", "7", "auc=1", "--monitoring", "--source", "s"],
        ["metrics", "push", "--record", "7", "--file", "/nowhere.json"],
        ["evidence", "upload", "--kind", "other", "--version", "1"],
        ["evidence", "upload", "/etc/hostname", "--kind", "other"],
        ["evidence", "upload", "/nowhere", "--kind", "other", "--version", "1"],
        ["use-case", "classify", "UC-0001"],
        ["use-case", "describe", "UC-0001", "human_oversight"],
        ["version", "show", "credit-risk"],
        ["version", "show", "credit-risk/three"],
        ["version", "register", "--group", "g", "--model-data", "s3://b/k"],
        ["deployment", "report", "none", "--status", "deployed"],
        ["sync", "all"],
        ["sync", "1"],
        ["metrics", "push", "--record", "7", "auc=1e400"],
        ["api", "TRACE", "me/"],
        ["api", "GET", "../../admin/"],
        ["api", "GET", "https://elsewhere.example.org/"],
        ["api", "GET", "me/?x=1"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    governance: Governance, server: Server, words: list[str]
) -> None:
    server.will(Answer({}))
    done = governance(*words)
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert done.err


def test_a_version_is_found_by_number_name_or_arn(governance: Governance, server: Server) -> None:
    asked = {"id": "AR-000001", "subject": {"name": "credit-risk/3"}, "stage": "qa", "state": "open", "waiting_for": ""}
    for name, query in (("17", None), ("credit-risk/3", {"group": "credit-risk"}), (ARN, {"model_package_arn": ARN})):
        rows = _rows({"id": 18, "version": 4}, {"id": 17, "version": 3}) if query and "group" in query else None
        found = [rows or _rows({"id": 17, "version": 3})] if query else []
        server.will(*found, Answer(asked, status=201))
        assert governance("version", "submit", name, "--note", "AUC").out.startswith("AR-000001 asks for credit-risk/3")
        assert server.asked[-1].path == "/api/v1/model-versions/17/submit/"
        assert server.asked[-1].json == {"note": "AUC"}
        if query:
            assert query.items() <= server.asked[0].query.items()
    server.will(_rows({"id": 18, "version": 4}))
    assert "There is no version credit-risk/3" in governance("version", "show", "credit-risk/3").err


def test_a_registration_that_takes_its_time_is_waited_for(
    governance: Governance, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(versions, "REGISTRATION_POLLS", 0.0)
    under_way = {"id": "REG-000001", "state": "pending", "version": None, "order": {"last_error": "Throttled."}}
    made = {"id": 17, "name": "credit-risk/3", "model_package_arn": ARN, "stage": "development"}
    (tmp_path / "body.json").write_text('{"content_types": ["text/csv"], "group": "another", "skip_validation": true}')
    (tmp_path / "card.json").write_text('{"model_overview": {}}')
    words = ["version", "register", "--group", "credit-risk", "--file", str(tmp_path / "body.json")]
    words += ["--image", "i", "--model-data", "s3://b/k", "--metadata", "validation_auc=0.78", "--response-type", "x"]
    done = [{**under_way, "state": "done", "version": 17}, made]
    server.will(Answer(under_way, status=202), Answer(under_way), *map(Answer, done))
    shown = governance(*words, "--card", str(tmp_path / "card.json"), "--reference", "build-9")
    assert shown.out.startswith("credit-risk/3\n")
    assert server.asked[0].json == {
        "group": "credit-risk",
        "content_types": ["text/csv"],
        "response_types": ["x"],
        "skip_validation": True,
        "containers": [{"image": "i", "model_data_url": "s3://b/k"}],
        "metadata": {"validation_auc": "0.78"},
        "card": {"model_overview": {}},
        "reference": "build-9",
    }
    server.will(Answer({**under_way, "state": "failed", "error": "No such group."}, status=202))
    assert "REG-000001 failed\n  No such group." in governance(*words).err
    server.will(Answer(under_way, status=202), Answer(under_way))
    late = governance(*words, "--wait", "0")
    assert (late.code, late.out) == (2, "")
    assert "Throttled." in late.err


def test_a_decision_says_what_became_of_the_request(governance: Governance, server: Server) -> None:
    decided = {
        "decision": "reject",
        "decided_by": "gale",
        "role": "governance_officer",
        "request": {"id": "AR-000001", "state": "rejected", "waiting_for": ""},
    }
    server.will(Answer(decided, status=201))
    done = governance("reject", "AR-000001", "--comment", "Too early.", "--back-to", "qa")
    assert done.out == "reject by gale as governance_officer: AR-000001 is rejected.\n"
    assert server.asked[0].json == {"decision": "reject", "comment": "Too early.", "back_to": "qa"}
    governance("reject", "AR-000001", "--request-changes", "--comment", "More.")
    assert server.asked[1].json == {"decision": "request_changes", "comment": "More."}


def test_sync_waits_for_a_pass_in_every_region(
    governance: Governance, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "POLLS", 0.0)
    account = {"account_id": "111111111111", "alias": "hub", "regions": ["eu-west-1", "us-east-1"], "is_enabled": True}
    counts = {"groups": 3, "groups_done": 1, "created": 1, "updated": 0, "unchanged": 2, "missing": 0, "error": ""}
    old = {"id": 5, "account": "111111111111", "region": "us-east-1", "state": "succeeded", **counts}
    west = {**old, "id": 6, "region": "eu-west-1"}
    running = {**old, "id": 7, "state": "running"}
    failed = {**running, "state": "failed", "error": "AccessDenied"}
    before = [Answer(account), _rows(old), Answer({}, status=202)]
    server.will(
        *before,
        _rows(old),
        _rows(west, old),
        _rows(running, west, old),
        _rows({**running, **west, "id": 7, "region": "us-east-1"}, west, old),
    )
    done = governance("sync", "111111111111", "--wait", "--json")
    assert (done.code, [run["region"] for run in done.json]) == (0, ["eu-west-1", "us-east-1"])
    server.will(*before, _rows(failed, west, old))
    done = governance("sync", "111111111111", "--wait")
    assert done.code == 1
    assert done.out.endswith(
        "111111111111 us-east-1: failed, 1 created, 0 updated, 2 unchanged, 0 missing\n  AccessDenied\n"
    )
    monkeypatch.setattr(sync.time, "monotonic", iter(range(0, 10**6, 100)).__next__)
    server.will(*before, _rows(running, old))
    late = governance("--timeout", "100", "sync", "111111111111", "--wait", "--patience", "1")
    assert (late.code, late.out) == (2, "")
    assert "1 of 3 groups in us-east-1" in late.err


def test_a_pack_that_is_none_is_not_sound(governance: Governance, server: Server, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(b"PK")
    done = governance("verify-pack", str(tmp_path / "pack.zip"))
    assert done.code == 1
    assert "NOT SOUND" in done.out
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": 2}))
    (tmp_path / "pack.zip").write_bytes(content.getvalue())
    shown = governance("verify-pack", str(tmp_path / "pack.zip"), "--json")
    assert (shown.code, shown.json["is_sound"]) == (1, False)
    assert governance("verify-pack", str(tmp_path / "absent.zip")).code == 2
    assert server.asked == []


def test_any_call_of_the_api_can_be_made(governance: Governance, server: Server, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"deep": {"a": [1]}, "name": "x"}')
    server.will(Answer({"id": 1}))
    governance(
        "api",
        "patch",
        "/api/v1/use-cases/UC-0001/",
        "name=y",
        "--body",
        str(tmp_path / "body.json"),
        "--if-match",
        '"3"',
    )
    assert (server.asked[0].method, server.asked[0].path) == ("PATCH", "/api/v1/use-cases/UC-0001/")
    assert server.asked[0].json == {"deep": {"a": [1]}, "name": "y"}
    assert server.asked[0].headers["If-Match"] == '"3"'
    assert governance("api", "GET", "findings/", "state=open").json == {"id": 1}
    assert server.asked[1].query == {"state": "open"}
    server.will(Answer(content=b"a,b\r\n", content_type="text/csv"))
    assert governance("api", "GET", "stage-records/", "format=csv").out == "a,b\r\n"
    server.will(Answer(status=204, content=b""))
    assert governance("api", "DELETE", "shares/1/").out == ""
    assert governance("api", "DELETE", "shares/1/", "--json").json is None


def test_a_file_is_kept_whole_or_not_at_all(governance: Governance, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "pack.zip"
    words = ["api", "GET", "audit-packs/PACK-000001/file/", "--output", str(file)]
    whole = Answer(content=b"PK" * 5000, content_type="application/zip")
    server.will(whole)
    assert governance(*words).out == f"{file}: 10000 bytes.\n"
    assert file.read_bytes() == b"PK" * 5000
    server.will(Answer(content=b"PK", content_type="application/zip", headers={"Content-Length": "10000"}))
    torn = governance("--timeout", "0.2", *words)
    assert (torn.code, torn.out, file.stat().st_size) == (2, "", 10000)
    server.will(Answer({"title": "Not allowed", "detail": "Not yours.", "code": "forbidden"}, status=403))
    assert "(403 forbidden)" in governance(*words).err
    server.will(Answer(status=204, content=b""))
    assert governance(*words).code == 2
    assert [each.name for each in tmp_path.iterdir()] == ["pack.zip"]
    assert governance("api", "POST", "audit-packs/", "--output", str(file)).code == 2
