"""Violation reports of pipelines' checks: the real one, Clarify's, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from registry.reports.check_violations import MOST, Violation, read_violations
from registry.reports.document import Unreadable


def test_features_and_facets_are_named_in_the_reports_words() -> None:
    quality = {
        "feature_name": "congestion_surcharge",
        "constraint_check_type": "completeness_check",
        "description": "Value: 0.0 does not meet the constraint requirement! ",
    }
    bias = {"facet": "gender", "facet_value": 0, "metric_name": "DI", "constraint_check_type": "bias_drift_check"}
    found = read_violations({"version": "1.0", "violations": [quality, bias, {}]})
    assert found.rows == (
        Violation("congestion_surcharge", "completeness_check", "Value: 0.0 does not meet the constraint requirement!"),
        Violation("gender, DI = 0", "bias_drift_check", ""),
        Violation("", "", ""),
    )


def test_a_report_that_lists_none_has_none_and_a_long_one_is_cut() -> None:
    assert read_violations({"violations": []}).rows == ()
    found = read_violations({"violations": [{"feature_name": "f"}] * (MOST + 7)})
    assert (len(found.rows), found.left_out) == (MOST, 7)


@pytest.mark.parametrize("content", [{}, {"violations": None}, {"violations": {}}, {"violations": [1]}])
def test_another_report_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="no violation report"):
        read_violations(content)
