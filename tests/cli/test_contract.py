"""Every address, parameter and field the command sends is one that the API's own document knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from .run import Done
from .scripted import Answer, Asked, Server

ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/3"
CONTAINER = "--image i --model-data s3://b/k --content-type text/csv --response-type text/csv"
PARTS = (
    "risk_assessment",
    "mitigation_strategies",
    "transparency_explainability",
    "human_oversight",
    "monitoring_evaluation",
)
# With every option there is. Their answers are whatever the server says: what they print is no matter here.
COMMANDS = [
    "use-case list --stage qa --status x --risk-class high --project p --search s",
    "use-case show UC-0001",
    "use-case register --name n --project p --purpose t --description d --business-owner b --attribute a=1",
    "use-case register --name n --project p --purpose t --model-owner m --next-review-on 2027-01-01",
    "use-case classify UC-0001 --risk-class high --reason r",
    "use-case classify UC-0001 --answers FILE --reason r",
    *(f"use-case describe UC-0001 {part} --text t" for part in PARTS),
    "use-case submit UC-0001 --note n",
    f"version list --group g --stage qa --status x --risk low --use-case UC-0001 --project p --arn {ARN} --search s",
    "version show credit-risk/3",
    "version show 17",
    "version requirements 17 --stage qa",
    "version submit 17 --note n",
    f"version register --group g {CONTAINER} --description d --card FILE --metadata a=1 --mlflow-run r --reference x",
    f"approval list --queue mine --state open --use-case UC-0001 --arn {ARN}",
    "approval show AR-000001",
    "approve AR-000001 --comment c",
    "reject AR-000001 --comment c --back-to qa",
    f"stage list --arn {ARN} --stage qa --status x --use-case UC-0001 --project p --as-of 2026-11-21T10:00:00Z",
    "stage list --csv",
    f"deployment list --arn {ARN} --stage qa --status deployed --account 333333333333",
    "deployment report 1 --status deployed --endpoint e --detail d",
    f"evidence list --use-case UC-0001 --arn {ARN} --kind other",
    "evidence upload --kind other --use-case UC-0001 --title t --note n --supersedes EV-000001 --s3-uri s3://b/k",
    "metrics push --record 7 auc=1 --source s --captured-at 2026-11-21T10:00:00Z",
    "metrics push --record 7 auc=1 --monitoring --endpoint e",
    f"metrics push --version {ARN} --stage qa --account 333333333333 auc=1",
    f"gate --arn {ARN} --stage qa --account 333333333333",
    "sync 111111111111",
    "whoami",
    "logout",
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The API's own document."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


@pytest.mark.parametrize("typed", COMMANDS)
def test_what_is_sent_is_what_the_api_takes(
    governance: Callable[..., Done], server: Server, document: dict[str, Any], typed: str, tmp_path: Path
) -> None:
    file = tmp_path / "file.json"
    file.write_text('{"model_overview": {}}')
    server.will(Answer({"results": [], "next": None}))
    governance(*(str(file) if word == "FILE" else word for word in typed.split()))
    assert server.asked
    for asked in server.asked:
        _known(document, asked)


def test_signing_in_sends_what_the_api_takes(
    governance: Callable[..., Done], server: Server, document: dict[str, Any]
) -> None:
    server.will(Answer({"token": "t"}))
    governance("login", "-u", "dana", typed="password\n")
    for asked in server.asked:
        _known(document, asked)


def _known(document: dict[str, Any], asked: Asked) -> None:
    fits = [
        path
        for path in document["paths"]
        if re.fullmatch(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path)), asked.path)
    ]
    exact = [path for path in fits if "{" not in path] or fits
    assert exact, asked.path
    operation = document["paths"][exact[0]][asked.method.lower()]
    parameters = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    assert asked.query.keys() <= parameters, asked.path
    if not asked.body or asked.body == b"{}":
        return
    content = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][content["$ref"].rpartition("/")[2]]
    assert asked.json.keys() <= schema["properties"].keys(), asked.path
    assert asked.json.keys() >= set(schema.get("required", [])), asked.path
