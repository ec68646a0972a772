"""Cards as nobody should write them: each is read without an error, and what is wrong with it is said."""

from __future__ import annotations

import json

import pytest

from governance.models import Finding, StageRecord
from portal.core.vocabulary import Status
from tests import factories

HOSTILE = {
    "not JSON": "{not json",
    "empty object in a list": "[]",
    "a number": "7",
    "NUL in a name": '{"model_overview": {"model_creator": "a\\u0000b"}}',
    "lone surrogate": '{"model_overview": {"model_creator": "\\ud800"}}',
    "infinite number": '{"model_overview": {"model_creator": 1e999}}',
    "NaN": '{"evaluation_details": [{"name": "x", "metric_groups": NaN}]}',
    "a number of 5,000 digits": '{"model_overview": ' + "9" * 5000 + "}",
    "nested 20,000 deep": "[" * 20000,
    "nested 900 deep": '{"additional_information": ' + "[" * 900 + "]" * 900 + "}",
    "sections that are no objects": json.dumps(
        {"intended_uses": ["High"], "model_overview": 3, "additional_information": {"custom_details": "UC-0001"}}
    ),
    "metric groups that are no lists": json.dumps({"evaluation_details": [{"metric_groups": {"a": 1}}, 5]}),
    "an unknown rating": json.dumps({"intended_uses": {"risk_rating": "Extreme"}}),
    "an unknown section": json.dumps({"poetry": {}}),
}


@pytest.mark.django_db
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_version_with_a_broken_card_is_recorded_and_a_finding_says_what_is_wrong(content: str) -> None:
    group = factories.group(None)
    version = factories.version(group, card_content=content)
    assert StageRecord.objects.get(version=version).status == Status.PENDING
    finding = Finding.objects.get(version=version, kind="card_invalid")
    assert finding.evidence["problems"]


@pytest.mark.django_db
def test_an_absent_card_is_missing_and_not_invalid() -> None:
    version = factories.version(factories.group(None), card_content=None)
    assert list(Finding.objects.filter(version=version).values_list("kind", flat=True)) == ["card_missing"]
