"""What two contents of a card say differently, and how deep a card is read."""

from __future__ import annotations

from typing import Any

from registry.selectors.card_sheet import differences, sheet


def metrics(*values: float) -> dict[str, Any]:
    data = [{"name": "auc", "type": "number", "value": value} for value in values]
    return {"evaluation_details": [{"name": "Hold-out", "metric_groups": [{"name": "Quality", "metric_data": data}]}]}


def test_entries_of_one_name_are_told_apart() -> None:
    [row] = differences(metrics(1, 2), metrics(9, 2))
    assert (row["field"], row["before"], row["after"]) == ("Evaluation details: Hold-out, Quality, auc", "1", "9")
    [row] = differences(metrics(1, 2), metrics(1, 3))
    assert (row["field"], row["before"], row["after"]) == ("Evaluation details: Hold-out, Quality, auc (2)", "2", "3")


def test_an_entry_is_told_once_and_one_that_is_only_a_name_is_told_too() -> None:
    added = differences({}, metrics(1))
    assert [row["field"] for row in added] == [
        "Evaluation details: Hold-out, Quality, auc, type",
        "Evaluation details: Hold-out, Quality, auc",
    ]
    [row] = differences({}, {"evaluation_details": [{"name": "Empty"}]})
    assert row["after"] == "Empty"


def test_fields_stand_in_the_order_of_the_schema_however_they_come() -> None:
    content = {"model_overview": {"later": "x", "model_owner": "b", "model_name": "a"}}
    [section] = sheet(content)
    assert [field.label for field in section.fields] == ["Model name", "Model owner", "Later"]


def test_a_deep_card_is_shown() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"k": deep}
    content = {"training_details": {"objective_function": deep}}
    assert len(sheet(content)) == len(differences({}, content)) == 1
