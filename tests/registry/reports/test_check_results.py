"""What pipelines' checks calculated, from files as SageMaker writes them, and from others."""

from __future__ import annotations

from typing import Any

import pytest

from registry.reports.check_results import MOST, CheckResult, ResultRow, read_result
from registry.reports.document import Unreadable

BIAS = {
    "post_training_bias_metrics": {
        "label": "default",
        "facets": {
            "gender": [
                {
                    "value_or_threshold": "0",
                    "metrics": [
                        {"name": "DI", "description": "Disparate Impact (DI)", "value": 0.5},
                        {"name": "FT", "description": "Flip Test", "value": None, "error": "No neighbours."},
                        {"name": "DPPL", "description": "DPPL", "value": "NaN"},
                    ],
                }
            ]
        },
    }
}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (
            {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 0.1, "b": -0.7}}}}},
            [("Weight of b", -0.7, "kernel_shap, label0"), ("Weight of a", 0.1, "kernel_shap, label0")],
        ),
        ({"regression_metrics": {"mae": {"value": 0.3, "standard_deviation": 0.01}}}, [
            ("mae", 0.3, "standard deviation 0.01")
        ]),
        ({"features": [{"name": "age", "inferred_type": "Integral", "completeness": 0.9}]}, [
            ("Share of age that is there", 0.9, "Integral")
        ]),
        (
            {"features": [{"name": "age", "numerical_statistics": {"common": {"num_missing": 3}}}]},
            [("Missing values of age", 3, "")],
        ),
    ],
)  # fmt: skip
def test_each_kind_of_result_is_told_in_lines(content: dict[str, Any], rows: list[tuple[str, float, str]]) -> None:
    assert read_result(content) == CheckResult(tuple(ResultRow(*row) for row in rows))


def test_bias_says_what_it_is_and_what_is_unusual_and_null_is_not_zero() -> None:
    impact, flip, difference = read_result(BIAS).rows
    assert (impact.what, impact.value) == ("DI of gender = 0", 0.5)
    assert "outside what is usual" in impact.note
    assert (flip.value, "No neighbours." in flip.note, "usual" in flip.note) == (None, True, False)
    assert difference.value is None


def test_a_long_result_says_how_much_is_left_out() -> None:
    many = {
        "explanations": {"kernel_shap": {"l": {"global_shap_values": {f"f{n}": n / 1000 for n in range(MOST + 7)}}}}
    }
    assert (len(read_result(many).rows), read_result(many).left_out) == (MOST, 7)


@pytest.mark.parametrize("content", [{}, {"violations": []}, {"features": 7}, {"explanations": None}])
def test_another_file_is_no_result(content: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_result(content)
