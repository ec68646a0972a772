"""Reading what SageMaker's jobs wrote: the real files, and every shape a report is known to take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.reports import bias, data_quality, explainability, kinds, model_quality
from registry.reports.bias_words import MEANINGS, Verdict, meaning_of, names_of, verdict_of
from registry.reports.document import ReportProblem, Unreadable, read_json
from registry.reports.kinds import Pointer, ReportKind

DATA = Path(__file__).parent / "data"
STRANGE: list[Any] = [None, 0, -1.5, True, "NaN", "", [], {}, [None], {"a": None}, [[]], {"facets": {"a": "b"}}]


def real(name: str) -> dict[str, Any]:
    return read_json((DATA / name).read_bytes())


def test_a_real_bias_report_says_eight_metrics_of_one_facet() -> None:
    (part,) = bias.parse(real("data_bias_analysis.json"))
    assert (part.phase, part.facet, part.part) == (bias.Phase.PRE_TRAINING, "F1", "(0.5, 0.9936148802477393]")
    assert (part.label, part.label_value) == ("Label", "1")
    assert {one.code: one.value for one in part.metrics}["CI"] == -0.08
    assert [one.code for one in part.metrics] == ["CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"]


def metric(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": name, "value": value, **more}


def test_what_was_not_computed_is_none_and_never_zero() -> None:
    metrics = [metric("DI", None, error="no positive labels"), metric("RD", "NaN"), metric("AD", True), metric("SD", 0)]
    content = {
        "post_training_bias_metrics": {
            "label": "approved", "facets": {"gender": [{"value_or_threshold": "F", "metrics": metrics}]}
        }
    }  # fmt: skip
    (part,) = bias.parse(content)
    assert [(one.code, one.value, one.note) for one in part.metrics] == [
        ("DI", None, "no positive labels"), ("RD", None, "The report says 'NaN', which is no number."),
        ("AD", None, "The report says 'true', which is no number."), ("SD", 0, ""),
    ]  # fmt: skip


def test_several_labels_and_nested_facets_are_told_apart() -> None:
    women = {"value_or_threshold": "F", "metrics": [metric("CI", 0.1)]}
    young = {"value_or_threshold": "[18, 25]", "metrics": {"CI": 0.2, "DPL": {"value": 0.3}}}
    content = {
        "pre_training_bias_metrics": [
            {"label": "a", "label_value_or_threshold": [1, 2], "facets": {"gender": [women]}},
            {"label": "b", "facets": {"gender": {"age": [young]}}},
        ],
        "post_training_bias_metrics": {"c": {"facets": {"gender": [{**women, "facets": {"age": [young]}}]}}},
    }
    found = [(one.phase.value, one.label, one.label_value, one.facet, one.part) for one in bias.parse(content)]
    assert found == [
        ("pre_training", "a", "1, 2", "gender", "F"),
        ("pre_training", "b", "", "gender / age", "[18, 25]"),
        ("post_training", "c", "", "gender", "F"),
        ("post_training", "c", "", "gender / age", "[18, 25]"),
    ]
    assert [(one.code, one.value) for one in bias.parse(content)[1].metrics] == [("CI", 0.2), ("DPL", 0.3)]


def test_every_metric_of_clarify_has_its_meaning_and_usual_limits() -> None:
    names = [
        "CI",
        "DPL",
        "KL",
        "JS",
        "LP",
        "TVD",
        "KS",
        "CDDL",
        "DPPL",
        "DI",
        "DCAcc",
        "DCR",
        "DAR",
        "DRR",
        "RD",
        "AD",
        "SD",
        "CDDPL",
        "TE",
        "FT",
        "GE",
    ]
    assert set(names) <= set(MEANINGS)
    for code, meaning in MEANINGS.items():
        assert meaning.low <= meaning.ideal <= meaning.high
        assert verdict_of(code, meaning.ideal) is Verdict.WITHIN
        assert verdict_of(code, meaning.high + 0.01) is Verdict.OUTSIDE
        assert verdict_of(code, None) is Verdict.NOT_REPORTED
        assert len(meaning.words) > 30
    assert meaning_of("DCA") == meaning_of("DCAcc")
    assert (meaning_of("XYZ"), verdict_of("XYZ", 1)) == (None, Verdict.UNKNOWN)
    assert (meaning_of("CDD"), names_of("DCA")) == (meaning_of("CDDL"), ("DCA", "DCAcc"))
    assert names_of("XYZ") == ("XYZ",)
    assert (MEANINGS["DI"].usual, MEANINGS["KL"].usual) == ("0.8 to 1.25", "at most 0.1")


@pytest.mark.parametrize(
    ("code", "above", "below"),
    [
        # As the formulas of the developer guide have it, worked out on its examples.
        ("CI", "fewer rows", "more rows"),
        ("DPL", "The others have", "This group has"),
        ("DPPL", "favours the others", "favours this group"),
        ("DI", "more often", "less often"),
        ("DCAcc", "accepts this group more readily", "less readily"),
        ("DCR", "rejects this group less readily", "more readily"),
        ("DAR", "right less often", "right more often"),
        ("DRR", "right more often", "right less often"),
        ("RD", "this group's", "the others'"),
        ("AD", "less often about this group", "more often about this group"),
        ("SD", "The others are wrongly accepted", "This group is wrongly accepted"),
        ("CDDL", "more of the rejections", "more of the acceptances"),
        ("CDDPL", "more of its rejections", "more of its acceptances"),
        ("TE", "wrong rejections", "wrong acceptances"),
        ("FT", "would fare better as one of the others", "would fare worse"),
        ("KL", "", ""),
        ("GE", "", ""),
    ],
)
def test_each_metric_says_which_way_it_leans(code: str, above: str, below: str) -> None:
    meaning = MEANINGS[code]
    assert above in meaning.leaning(meaning.ideal + 0.01)
    assert below in meaning.leaning(meaning.ideal - 0.01)
    assert meaning.leaning(meaning.ideal) == meaning.leaning(None) == ""
    assert meaning.convention.words
    assert bool(above) is not meaning.words.endswith("It does not say who fares worse.")


def test_nothing_of_a_bias_report_is_left_out_unsaid() -> None:
    assert bias.left_out(real("data_bias_analysis.json")) == 0
    women = {"value_or_threshold": "F", "metrics": [metric("CI", 0.1)]}
    deep: dict[str, Any] = {"facets": {"f9": [women]}}
    for number in range(8):
        deep = {"facets": {f"f{number}": [deep]}}
    facets = {
        "gender": [{"value_or_threshold": "M"}, {**women, "race": [{**women, "metrics": [metric("CI", 0.2)]}]}],
        "deep": [deep],
        "odd": [{"value_or_threshold": "x", "details": [metric("CI", 0.3)]}],
    }
    content = {"post_training_bias_metrics": {"label": "a", "facets": facets}}
    found = bias.parse(content)
    assert [(one.facet, one.part, len(one.metrics)) for one in found[:3]] == [
        ("gender", "M", 0), ("gender", "F", 1), ("gender / race", "F", 1),
    ]  # fmt: skip
    assert found[3].facet.count(" / ") == 9
    assert bias.left_out(content) == 1
    (unnamed,) = bias.parse(
        {"pre_training_bias_metrics": {"facets": {"a": [{"metrics": [{"description": "KS (KS)"}]}]}}}
    )
    assert unnamed.metrics[0].code == "KS (KS)"


def test_what_is_no_weight_of_a_feature_is_named() -> None:
    content = {"explanations": {"kernel_shap": {"l": {"global_shap_values": {"a": "NaN"}}}, "pdp": {"l": [1]}}}
    assert explainability.others(content) == ("pdp",)
    assert explainability.parse(content)[0].attributions[0].note == "The report says 'NaN', which is no number."


def test_curves_and_matrices_that_cannot_be_drawn_say_why() -> None:
    many = {str(index): {"0": 1} for index in range(model_quality.MOST_CLASSES + 1)}
    content = {
        "binary_classification_metrics": {
            "auc": 0.5,
            "f1": {"value": "NaN"},
            "confusion_matrix": many,
            "precision_recall_curve": {"precisions": [0.5, "NaN", 0.7], "recalls": [0, 0.5, 1]},
            "receiver_operating_characteristic_curve": {"false_positive_rates": [0]},
        }
    }
    (found,) = model_quality.parse(content)
    assert [(one.value, one.note) for one in found.metrics] == [
        (0.5, ""), (None, "The report says 'NaN', which is no number.")
    ]  # fmt: skip
    assert [curve.name for curve in found.curves] == ["Precision and recall"]
    assert len(found.untold) == 3
    assert "1 of 3 points" in found.untold[1]


def test_attributions_of_every_method_and_label_the_weightiest_first() -> None:
    content = {
        "explanations": {
            "kernel_shap": {
                "label0": {"global_shap_values": {"age": 0.1, "income": -0.5, "zip": None}, "expected_value": [0.3]},
                "label1": {"global_shap_values": {"age": "NaN"}},
            },
            "integrated_gradients": {"global_shap_values": [{"feature_name": "age", "value": 0.2}]},
            "pdp": {"label0": [{"feature_name": "age", "feature_values": [1]}]},
        }
    }
    first, second, third = explainability.parse(content)
    assert (first.method, first.label, first.expected) == ("kernel_shap", "label0", 0.3)
    assert [(one.feature, one.value) for one in first.attributions] == [("income", -0.5), ("age", 0.1), ("zip", None)]
    assert [(one.feature, one.value) for one in second.attributions] == [("age", None)]
    assert (third.method, third.label, third.attributions[0].value) == ("integrated_gradients", "", 0.2)


def test_a_real_regression_has_its_numbers_and_no_deviation() -> None:
    (found,) = model_quality.parse(real("model_quality_statistics.json"))
    assert (found.task, found.items) == (model_quality.Task.REGRESSION, 100)
    assert [one.name for one in found.metrics] == ["mae", "mse", "rmse", "r2"]
    assert {one.deviation for one in found.metrics} == {None}
    assert found.metrics[3].value == -3.208758170289026


def test_a_classification_has_its_confusion_and_curves() -> None:
    content = {
        "binary_classification_metrics": {
            "confusion_matrix": {"0": {"0": 50, "1": 5}, "1": {"0": "NaN", "2": 40}},
            "auc": {"value": 0.9, "standard_deviation": 0.01},
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": [0, 0.5, "NaN", 1], "true_positive_rates": [0, 0.8, 0.9, 1]
            },
            "precision_recall_curve": {"precisions": [1], "recalls": [0, 1]},
        }
    }  # fmt: skip
    (found,) = model_quality.parse(content)
    assert found.confusion is not None
    assert found.confusion.classes == ("0", "1", "2")
    assert found.confusion.counts == ((50, 5, None), (None, None, 40), (None, None, None))
    assert [(curve.name, curve.points) for curve in found.curves] == [("ROC curve", ((0, 0), (0.5, 0.8), (1, 1)))]
    assert found.metrics == (model_quality.QualityMetric("auc", 0.9, 0.01),)


def test_long_curves_are_thinned_with_both_ends() -> None:
    many = [index / 10_000 for index in range(10_001)]
    content = {"multiclass_classification_metrics": {"precision_recall_curve": {"precisions": many, "recalls": many}}}
    (curve,) = model_quality.parse(content)[0].curves
    assert (curve.points[0], curve.points[-1]) == ((0, 0), (1, 1))
    assert len(curve.points) < 500


def test_limits_of_model_quality() -> None:
    content = {"regression_constraints": {"mae": {"threshold": 5.3, "comparison_operator": "GreaterThanThreshold"}}}
    assert model_quality.limits(content) == (model_quality.QualityLimit("mae", 5.3, "GreaterThanThreshold"),)


def test_real_statistics_and_constraints_of_columns() -> None:
    numbers = data_quality.statistics(real("data_quality_statistics.json"))
    first = numbers.features[0]
    assert (numbers.items, first.name, first.present, first.mean, first.distinct) == (100, "_c0", 100, 2.31, None)
    text = data_quality.statistics(real("statistics.json")).features[0]
    assert (text.mean, text.distinct, text.missing) == (None, 1.0, 0)
    one = data_quality.constraints(real("constraints.json"))[0]
    assert (one.completeness, one.domain) == (1.0, ("preproc-not-YET-supported-for-csv-json",))


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_no_shape_breaks_a_parser(value: Any) -> None:
    names = ("pre_training_bias_metrics", "post_training_bias_metrics", "explanations", "features", "dataset",
             "regression_metrics", "binary_classification_metrics", "regression_constraints")  # fmt: skip
    for content in (
        dict.fromkeys(names, value),
        {"pre_training_bias_metrics": {"facets": value}, "explanations": {"kernel_shap": value}},
        {"pre_training_bias_metrics": {"facets": {"a": [{"metrics": value}]}},
         "explanations": {"kernel_shap": {"label0": {"global_shap_values": value, "expected_value": value}}},
         "binary_classification_metrics": {"confusion_matrix": value, "auc": {"value": value},
                                           "precision_recall_curve": {"precisions": value, "recalls": value}},
         "features": [value, {"name": value, "numerical_statistics": value, "string_constraints": {"domains": value}}]},
    ):  # fmt: skip
        bias.parse(content)
        explainability.parse(content)
        for quality in model_quality.parse(content):
            assert all(one.value is None or not isinstance(one.value, bool | str) for one in quality.metrics)
        model_quality.limits(content)
        data_quality.statistics(content)
        data_quality.constraints(content)


def test_a_package_points_at_reports_and_baselines() -> None:
    digest = "AB" * 32
    metrics = {
        "Bias": {
            "Report": {"S3Uri": " s3://b/a.json ", "ContentDigest": f"sha256:{digest}"},
            "PreTrainingReport": None,
        },
        "Explainability": "odd",
        "ModelQuality": {"Statistics": {"S3Uri": ""}, "Constraints": {"S3Uri": 7}},
    }
    baselines = {"ModelDataQuality": {"Constraints": {"S3Uri": "s3://b/c.json", "ContentDigest": "md5:1"}}}
    assert kinds.pointers(metrics, baselines) == (
        Pointer(ReportKind.BIAS, "s3://b/a.json", digest.lower()),
        Pointer(ReportKind.BASELINE_DATA_QUALITY_CONSTRAINTS, "s3://b/c.json"),
    )


def test_every_kind_has_its_words() -> None:
    labels = [kind.label for kind in ReportKind]
    assert len(set(labels)) == len(labels)
    assert ReportKind.BASELINE_DATA_QUALITY.label == "Drift baseline: data quality statistics"


@pytest.mark.parametrize("kind", [kind for kind in ReportKind if not kind.value.endswith("config")])
def test_json_that_is_another_report_is_of_the_wrong_type(kind: ReportKind) -> None:
    with pytest.raises(Unreadable, match="It is JSON, but it has no") as refused:
        kinds.kept(kind, {"violations": []})
    assert refused.value.problem is ReportProblem.WRONG_TYPE


def test_of_columns_the_numbers_are_kept_and_not_the_distributions() -> None:
    content = real("data_quality_statistics.json")
    small = kinds.kept(ReportKind.DATA_QUALITY, content)
    assert data_quality.statistics(small) == data_quality.statistics(content)
    assert len(json.dumps(small)) < len(json.dumps(content)) / 5


@pytest.mark.parametrize(("kind", "other"), [("pre_training", "post_training"), ("post_training", "pre_training")])
def test_a_report_of_one_phase_is_not_taken_for_the_other(kind: str, other: str) -> None:
    content = {f"{other}_bias_metrics": {"facets": {}}}
    assert kinds.kept(ReportKind(f"bias_{other}"), content) == content
    with pytest.raises(Unreadable, match=f"{kind}_bias_metrics"):
        kinds.kept(ReportKind(f"bias_{kind}"), content)


def test_more_than_a_report_of_one_model_is_too_large() -> None:
    facets = {f"facet{index}": [{"metrics": [metric("CI", 0)]}] for index in range(kinds.MOST_PARTS + 1)}
    for kind, content in (
        (ReportKind.BIAS, {"pre_training_bias_metrics": {"facets": facets}}),
        (ReportKind.EXPLAINABILITY, {"explanations": {"text": "x" * kinds.LARGEST_KEPT}}),
    ):
        with pytest.raises(Unreadable) as refused:
            kinds.kept(kind, content)
        assert refused.value.problem is ReportProblem.TOO_LARGE
