"""The form of a card: what comes back untouched is the same card, and what is typed lands where the schema has it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from governance.web.model_card_forms import CardEditForm, initial_of, rows_of
from portal.core.errors import InvalidInput
from registry.models import ModelGroup
from registry.services import cards
from tests.cards.contents import whole

CONTENT = whole(ModelGroup(name="credit-risk"))
CONTENT["training_details"]["training_job_details"] |= {
    "training_metrics": [
        {"name": "auc", "value": 0.1 + 0.2, "notes": "held out"},
        {"name": "auc", "value": 1e-7},
        {"name": "rows", "value": 12_000_000},
    ],
    "user_provided_hyper_parameters": [{"name": "seed"}],
}
CONTENT["evaluation_details"][0]["metric_groups"][0]["metric_data"] += [
    {"name": "zero", "type": "number", "value": 0, "x_axis_name": "kept"},
    {"name": "passed", "type": "boolean", "value": True},
    {"name": "grade", "type": "string", "value": "7"},
]
CONTENT["additional_information"]["custom_details"] = {"UseCaseId": "UC-0001", "Reviewed": "yes\r\nby two "}


def typed(content: dict[str, Any], **changed: Any) -> CardEditForm:
    """Return the form as a browser sends it back for a content, with some of its inputs changed or taken out (None)."""
    data: dict[str, Any] = {"revision": "1", **initial_of(content)}
    for name, rows in rows_of(content).items():
        data[f"{name}-sent"] = "1"
        for number, row in enumerate(rows):
            data |= {
                f"{name}-{number}-{key}": value.replace("\r", "").replace("\n", "\r\n") for key, value in row.items()
            }
    data |= {key: value for key, value in changed.items() if value is not None}
    kept = {key: value for key, value in data.items() if changed.get(key, "") is not None}
    return CardEditForm(kept, before=content, initial={})


def said(content: dict[str, Any], **changed: Any) -> dict[str, Any]:
    form = typed(content, **changed)
    assert form.is_valid(), form.errors
    return form.content_of(content)


def test_what_nobody_touched_comes_back_as_it_was() -> None:
    assert said(CONTENT) == CONTENT
    assert said({}) == {}
    odd: dict[str, Any] = {
        "evaluation_details": [{"name": "e", "metric_groups": []}, "odd", {"name": 5}],
        "training_details": {"training_job_details": {"training_metrics": [], "hyper_parameters": [{"name": "a"}, 3]}},
        "additional_information": {"custom_details": {"n": 5, "x": ["y"]}},
        "unknown": {"deep": [[[1]]]},
    }
    assert said(odd) == odd
    wrong = {"evaluation_details": "none", "training_details": [], "additional_information": {"custom_details": "x"}}
    assert said(wrong) == wrong


def test_rows_are_changed_added_and_taken_out() -> None:
    before = copy.deepcopy(CONTENT)
    form = {
        "training_metrics-0-value": "0.31",
        **{f"training_metrics-1-{key}": None for key in ("at", "name", "value", "notes")},
        **{f"training_metrics-9-{key}": text for key, text in (("at", ""), ("name", "f1"), ("value", "0"))},
        "results-0-value": "0.80",
        "results-1-value": "-3",
        "results-2-value": "no",
        **{f"results-3-{key}": "" for key in ("at", "evaluation", "group", "name", "value", "notes")},
        **{
            f"results-7-{key}": text
            for key, text in (
                ("at", ""),
                ("evaluation", "Hold-out"),
                ("group", "Fairness"),
                ("name", "DI"),
                ("value", "good"),
            )
        },
        **{f"custom_details-4-{key}": text for key, text in (("at", ""), ("name", "Cycle"), ("value", "yearly"))},
    }
    made = said(before, **form)
    assert before == CONTENT
    assert made["training_details"]["training_job_details"]["training_metrics"] == [
        {"name": "auc", "value": 0.31, "notes": "held out"},
        {"name": "rows", "value": 12_000_000},
        {"name": "f1", "value": 0},
    ]
    quality, fairness = made["evaluation_details"][0]["metric_groups"]
    assert [one["name"] for one in quality["metric_data"]] == [
        "auc",
        "roc",
        "importance",
        "confusion",
        "zero",
        "passed",
    ]
    by_name = {one["name"]: one for one in quality["metric_data"]}
    assert (by_name["auc"]["value"], by_name["passed"]["value"]) == (0.8, False)
    assert by_name["zero"] == {"name": "zero", "type": "number", "value": -3, "x_axis_name": "kept"}
    assert fairness == {"name": "Fairness", "metric_data": [{"name": "DI", "type": "string", "value": "good"}]}
    assert made["additional_information"]["custom_details"] == {
        "UseCaseId": "UC-0001",
        "Reviewed": "yes\r\nby two ",
        "Cycle": "yearly",
    }
    assert cards.problems_of(made, own=True) == ()


def test_an_evaluation_renamed_keeps_its_charts_and_one_cleared_goes() -> None:
    made = said(CONTENT, **{"evaluations-0-name": "Hold-out of 2025", "evaluations-0-datasets": "s3://a\n\n s3://b"})
    evaluation = made["evaluation_details"][0]
    assert evaluation["metric_groups"] == CONTENT["evaluation_details"][0]["metric_groups"]
    assert (evaluation["name"], evaluation["datasets"], evaluation["metadata"]) == (
        "Hold-out of 2025",
        ["s3://a", "s3://b"],
        {"seed": "7"},
    )
    cleared = {f"evaluations-0-{key}": "" for key in ("name", "evaluation_observation", "datasets")}
    form = typed(CONTENT, **cleared)
    assert not form.is_valid()
    assert "no evaluation Hold-out" in str(form.errors["results"])
    without = {key: None for key in typed(CONTENT).data if key.startswith("results-") and key != "results-sent"}
    assert "evaluation_details" not in said(CONTENT, **cleared, **without)


@pytest.mark.parametrize(
    ("field", "inputs", "expected"),
    [
        ("training_metrics", {"training_metrics-0-value": "high"}, "no number"),
        ("training_metrics", {"training_metrics-0-value": "1e999"}, "no number"),
        ("training_metrics", {"training_metrics-0-name": ""}, "fill this in"),
        ("hyper_parameters", {"hyper_parameters-0-value": "x" * 256}, "at most 255"),
        ("hyper_parameters", {"hyper_parameters-0-value": "a\x00"}, "null"),
        ("results", {"results-0-evaluation": "Nowhere"}, "no evaluation Nowhere"),
        ("custom_details", {"custom_details-0-name": "UseCaseId"}, "field of its own"),
        ("custom_details", {f"custom_details-{n}-name": "a" for n in (0, 1)} | {"custom_details-1-at": ""}, "twice"),
    ],
)
def test_what_is_wrong_is_said_at_its_row(field: str, inputs: dict[str, Any], expected: str) -> None:
    form = typed(CONTENT, **inputs)
    assert not form.is_valid()
    assert expected in str(form.errors[field])


def test_a_row_that_lies_about_where_it_came_from_is_a_new_one() -> None:
    for lie in ('["Hold-out",9]', "{", "[[]]", "null", '["x"', '[{"a":1},2,3]'):
        made = said(CONTENT, **{"training_metrics-0-at": lie, "results-0-at": lie})
        assert cards.problems_of(made, own=True) == ()
    form = typed(CONTENT)
    assert form.is_valid()
    form.cleaned_data["evaluations"] = []
    with pytest.raises(InvalidInput, match="evaluation"):
        form.content_of(CONTENT)


def test_a_card_with_more_rows_than_a_form_can_send_leaves_those_alone() -> None:
    long = copy.deepcopy(CONTENT)
    many = [{"name": f"p{n}", "value": str(n)} for n in range(400)]
    long["training_details"]["training_job_details"]["hyper_parameters"] = many
    form = typed(long, model_owner="Somebody")
    assert form.left_out == ["Hyperparameters"]
    assert form.is_valid(), form.errors
    assert form.content_of(long)["training_details"] == long["training_details"]
