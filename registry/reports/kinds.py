"""The reports a model package points at: which kinds there are, where they are, and what each must be.

Source: SageMaker DescribeModelPackage, ModelMetrics and DriftCheckBaselines, whose values are S3 addresses alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import Word

from . import bias, data_quality, model_quality, values
from .document import ReportProblem, Unreadable
from .explainability import has_explanations

# More than that is no report about one model, and would be read by every decision about it.
MOST_PARTS = 500
LARGEST_KEPT = 2 * 1024 * 1024
_SHA256 = re.compile(r"(?:sha-?256[:=])?([0-9a-f]{64})", re.IGNORECASE)


class ReportKind(Word):
    """What a report is about; a baseline is what monitoring compares with."""

    BIAS = "bias"
    BIAS_PRE_TRAINING = "bias_pre_training"
    BIAS_POST_TRAINING = "bias_post_training"
    EXPLAINABILITY = "explainability"
    MODEL_QUALITY = "model_quality"
    MODEL_QUALITY_CONSTRAINTS = "model_quality_constraints"
    DATA_QUALITY = "data_quality"
    DATA_QUALITY_CONSTRAINTS = "data_quality_constraints"
    BASELINE_BIAS_PRE_TRAINING = "baseline_bias_pre_training"
    BASELINE_BIAS_POST_TRAINING = "baseline_bias_post_training"
    BASELINE_BIAS_CONFIG = "baseline_bias_config"
    BASELINE_EXPLAINABILITY = "baseline_explainability"
    BASELINE_EXPLAINABILITY_CONFIG = "baseline_explainability_config"
    BASELINE_MODEL_QUALITY = "baseline_model_quality"
    BASELINE_MODEL_QUALITY_CONSTRAINTS = "baseline_model_quality_constraints"
    BASELINE_DATA_QUALITY = "baseline_data_quality"
    BASELINE_DATA_QUALITY_CONSTRAINTS = "baseline_data_quality_constraints"

    @property
    def label(self) -> str:
        """What people call it: "Bias report after training", "Drift baseline: data quality constraints"."""
        plain = _LABELS.get(self.value)
        if plain:
            return plain
        rest = self.value.removeprefix("baseline_")
        return f"Drift baseline: {_LABELS[rest][0].lower()}{_LABELS[rest][1:]}"

    @property
    def is_baseline(self) -> bool:
        """Whether monitoring compares with it, and it says nothing of the version's own quality."""
        return self.value.startswith("baseline_")


_LABELS = {
    "bias": "Bias report",
    "bias_pre_training": "Bias report before training",
    "bias_post_training": "Bias report after training",
    "bias_config": "Bias configuration",
    "explainability": "Explainability report",
    "explainability_config": "Explainability configuration",
    "model_quality": "Model quality statistics",
    "model_quality_constraints": "Model quality constraints",
    "data_quality": "Data quality statistics",
    "data_quality_constraints": "Data quality constraints",
}
_METRICS = {
    ("Bias", "Report"): ReportKind.BIAS,
    ("Bias", "PreTrainingReport"): ReportKind.BIAS_PRE_TRAINING,
    ("Bias", "PostTrainingReport"): ReportKind.BIAS_POST_TRAINING,
    ("Explainability", "Report"): ReportKind.EXPLAINABILITY,
    ("ModelQuality", "Statistics"): ReportKind.MODEL_QUALITY,
    ("ModelQuality", "Constraints"): ReportKind.MODEL_QUALITY_CONSTRAINTS,
    ("ModelDataQuality", "Statistics"): ReportKind.DATA_QUALITY,
    ("ModelDataQuality", "Constraints"): ReportKind.DATA_QUALITY_CONSTRAINTS,
}
_BASELINES = {
    ("Bias", "PreTrainingConstraints"): ReportKind.BASELINE_BIAS_PRE_TRAINING,
    ("Bias", "PostTrainingConstraints"): ReportKind.BASELINE_BIAS_POST_TRAINING,
    ("Bias", "ConfigFile"): ReportKind.BASELINE_BIAS_CONFIG,
    ("Explainability", "Constraints"): ReportKind.BASELINE_EXPLAINABILITY,
    ("Explainability", "ConfigFile"): ReportKind.BASELINE_EXPLAINABILITY_CONFIG,
    ("ModelQuality", "Statistics"): ReportKind.BASELINE_MODEL_QUALITY,
    ("ModelQuality", "Constraints"): ReportKind.BASELINE_MODEL_QUALITY_CONSTRAINTS,
    ("ModelDataQuality", "Statistics"): ReportKind.BASELINE_DATA_QUALITY,
    ("ModelDataQuality", "Constraints"): ReportKind.BASELINE_DATA_QUALITY_CONSTRAINTS,
}
_IS: Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "bias": (bias.has_bias, "bias metrics (pre_training_bias_metrics, post_training_bias_metrics)"),
    "bias_pre_training": (
        lambda content: bias.has_bias(content, bias.Phase.PRE_TRAINING), "bias metrics (pre_training_bias_metrics)"
    ),
    "bias_post_training": (
        lambda content: bias.has_bias(content, bias.Phase.POST_TRAINING), "bias metrics (post_training_bias_metrics)"
    ),
    "explainability": (has_explanations, "explanations (explanations)"),
    "model_quality": (model_quality.has_metrics, "model quality metrics (such as regression_metrics)"),
    "model_quality_constraints": (model_quality.has_limits, "model quality limits (such as regression_constraints)"),
    "data_quality": (data_quality.has_features, "statistics of columns (features)"),
    "data_quality_constraints": (data_quality.has_features, "constraints of columns (features)"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a package says that one of its reports is; `sha256` (hex) is what the package says of its content."""

    kind: ReportKind
    address: str
    sha256: str = ""


def pointers(metrics: Mapping[str, Any], baselines: Mapping[str, Any]) -> tuple[Pointer, ...]:
    """Return where a package's reports are, each once; what names no address is left out."""
    return tuple(dict.fromkeys((*_pointers(metrics, _METRICS), *_pointers(baselines, _BASELINES))))


def kept(kind: ReportKind, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a report that is kept: all but the distributions behind the numbers of each column.

    Raises Unreadable (wrong_type, too_large) for content that is no report of this kind, or more than any is.
    """
    found = _IS.get(kind.value.removeprefix("baseline_"))
    if found and not found[0](content):
        raise Unreadable(ReportProblem.WRONG_TYPE, f"It is JSON, but it has no {found[1]}.")
    parts = len(bias.parse(content)) if bias.has_bias(content) else 0
    if parts > MOST_PARTS:
        raise Unreadable(
            ReportProblem.TOO_LARGE, f"It measures {parts} parts of facets; at most {MOST_PARTS} are kept."
        )
    small = dict(content)
    if isinstance(content.get("features"), list):
        small["features"] = [_without_distribution(one) for one in content["features"]]
    size = len(json.dumps(small))
    if size > LARGEST_KEPT:
        raise Unreadable(
            ReportProblem.TOO_LARGE,
            f"It has {size // 1024:,} kB even without its distributions; at most {LARGEST_KEPT // 1024:,} are kept.",
        )
    return small


def _pointers(found: Mapping[str, Any], known: Mapping[tuple[str, str], ReportKind]) -> Iterator[Pointer]:
    for (name, part), kind in known.items():
        one = values.section(values.section(found.get(name)).get(part))
        address = one.get("S3Uri")
        if isinstance(address, str) and address.strip():
            digest = _SHA256.fullmatch(str(one.get("ContentDigest") or "").strip())
            yield Pointer(kind, address.strip(), digest[1].lower() if digest else "")


def _without_distribution(feature: Any) -> Any:
    if not isinstance(feature, Mapping):
        return feature
    return {
        name: {part: inner for part, inner in one.items() if part != "distribution"}
        if isinstance(one, Mapping) and name.endswith("_statistics")
        else one
        for name, one in feature.items()
    }
