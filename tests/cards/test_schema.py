"""The schema of cards of their own, held against the resource schema that AWS publishes of AWS::SageMaker::ModelCard."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import registry
from registry.services import cards

OWN: dict[str, Any] = json.loads((Path(registry.__file__).parent / "services" / "own_card_schema.json").read_text())
LIMITS = ("type", "enum", "minimum", "minLength", "maxLength", "minItems", "maxItems")
# Where the developer guide prints something else, or nothing; what it prints is what SageMaker checks content against.
PRINTED_OTHERWISE = {
    "training_details.objective_function": "printed without properties: any object does",
    "training_details.training_job_details.hyper_parameters[].value": "may be empty",
    "training_details.training_job_details.user_provided_hyper_parameters[].value": "may be empty",
}


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The resource schema as cfn-lint carries it."""
    found = find_spec("cfnlint")
    assert found is not None
    assert found.origin is not None
    schemas = Path(found.origin).parent / "data" / "schemas"
    number = json.loads((schemas / "providers" / "us-east-1.json").read_text())["AWS::SageMaker::ModelCard"]
    answer: dict[str, Any] = json.loads((schemas / "resources" / f"{number}.json").read_text())
    return answer


def fields(schema: dict[str, Any], root: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Return what a schema asks of every field, by its path in a card's own names."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    found = {path: {key: schema[key] for key in LIMITS if key in schema}}
    if path in PRINTED_OTHERWISE:
        return {path: {}}
    for name, inner in schema.get("properties", {}).items():
        key = re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower()
        found |= fields(inner, root, f"{path}.{key}" if path else key)
    items = schema.get("items", {})
    # The four kinds of metrics are alternatives; the guide has them in full, with their values.
    if items and "anyOf" not in items:
        found |= fields(items, root, f"{path}[]")
    return found


def test_every_field_is_one_that_aws_publishes_with_its_limits(published: dict[str, Any]) -> None:
    theirs = fields(published["definitions"]["Content"], published)
    ours = fields(OWN, OWN)
    theirs[""] = ours[""]
    assert ours == theirs


def test_lists_are_held_to_their_lengths() -> None:
    package = {"source_algorithms": [{"algorithm_name": "a"}, {"algorithm_name": "b"}]}
    assert cards.problems_of({"model_package_details": package}, own=True)
    job = {"training_datasets": ["s3://a"] * 16}
    assert cards.problems_of({"training_details": {"training_job_details": job}}, own=True)
