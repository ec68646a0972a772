"""The reports of SageMaker's jobs about a version: where they are, whether they can be relied on, what they say."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Output, word

from ..reports.bias import Phase
from ..reports.bias_words import Convention, Verdict
from ..reports.document import ReportProblem
from ..reports.kinds import ReportKind
from ..reports.model_quality import Task
from ..selectors import report_view
from ..selectors.report_view import Source

_NO_LIST: dict[str, Any] = {"pagination_class": None, "filter_backends": []}


@extend_schema_field({"type": ["number", "null"]})
class MeasuredField(serializers.Field):
    """A number as the report has it; null: it was not computed, or is no number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return value


class BiasMetricOutput(Output):
    """One metric of bias against what is usual for it; what the policy asks for is in the version's requirements."""

    metric = serializers.CharField(source="code", help_text="Clarify's code, such as `DI`.")
    name = serializers.CharField(source="meaning.name", allow_null=True, default=None)
    meaning = serializers.CharField(source="meaning.words", allow_null=True, default=None)
    value = MeasuredField(help_text="null: not computed.")
    note = serializers.CharField(help_text="Why it was not computed, where Clarify says so.")
    leaning = serializers.CharField(help_text="Which way the value leans; empty: none, or nobody can say.")
    usual = serializers.CharField(source="meaning.usual", allow_null=True, default=None)
    convention = word(
        Convention, source="meaning.convention", allow_null=True, default=None, help_text="Whose the usual limits are."
    )
    verdict = word(Verdict)


class BiasPartOutput(Output):
    """What was measured of one part of a facet."""

    phase = word(Phase)
    facet = serializers.CharField()
    part = serializers.CharField(help_text="The value or the range of the facet; empty: the facet as a whole.")
    outcome = serializers.CharField(source="about", help_text="For which outcome it was measured.")
    metrics = BiasMetricOutput(source="rows", many=True)


class WeightOutput(Output):
    """How much one feature weighs in the predictions, as the mean of its SHAP values."""

    feature = serializers.CharField()
    value = MeasuredField()
    note = serializers.CharField(help_text="What the report says in place of a number.")


class ExplanationOutput(Output):
    """The features of one label by one method, the weightiest first."""

    method = serializers.CharField(help_text="Such as `kernel_shap`.")
    outcome = serializers.CharField(source="label", help_text="The label explained; empty: there is one.")
    expected_value = MeasuredField(source="expected", help_text="The prediction without any feature.")
    features = WeightOutput(source="attributions", many=True)


class QualityMetricOutput(Output):
    """One measure of how well the model predicts."""

    metric = serializers.CharField(source="name")
    value = MeasuredField()
    note = serializers.CharField(help_text="What the report says in place of a number.")
    standard_deviation = MeasuredField(source="deviation")


class ConfusionOutput(Output):
    """How often each true class was predicted as each: `counts[i][j]` of class i predicted as class j."""

    classes = serializers.ListField(child=serializers.CharField())
    counts = serializers.ListField(child=serializers.ListField(child=MeasuredField()))


class CurveOutput(Output):
    """A curve over all thresholds, as points [x, y] between 0 and 1."""

    name = serializers.CharField()
    x = serializers.CharField(source="x_name")
    y = serializers.CharField(source="y_name")
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class ModelQualityOutput(Output):
    """How well the model predicts."""

    task = word(Task)
    predictions = MeasuredField(source="items", help_text="How many predictions it rests on.")
    metrics = QualityMetricOutput(many=True)
    confusion = ConfusionOutput(allow_null=True)
    curves = CurveOutput(many=True)


class ReportOutput(Output):
    """One report the version's package points at.

    `content_read_at` is when it could be read last, null: never; `counts` whether metric rules may rest on it.
    """

    kind = word(ReportKind)
    address = serializers.CharField()
    is_baseline = serializers.BooleanField(help_text="Whether monitoring compares with it.")
    counts = serializers.BooleanField()
    problem = word(ReportProblem, allow_null=True, help_text="null: none, or not read yet.")
    is_altered = serializers.BooleanField(help_text="Whether it is not what the package says it points at.")
    trouble = serializers.CharField(help_text="What is wrong with it, in plain words; empty: nothing.")
    read_at = serializers.DateTimeField(allow_null=True, help_text="When it was looked at last; null: not yet.")
    content_read_at = serializers.DateTimeField(allow_null=True)
    written_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    untold = serializers.ListField(
        child=serializers.CharField(), help_text="What it holds beside what is told here, a sentence each."
    )
    bias = BiasPartOutput(many=True)
    explanations = ExplanationOutput(many=True)
    model_quality = ModelQualityOutput(many=True)


class ReportViews:
    """What is read of a version's reports."""

    @extend_schema(responses=ReportOutput(many=True))
    @action(detail=True, methods=["get"], **_NO_LIST)
    def reports(self, request: Request, **kwargs: Any) -> Response:
        """Show the reports of bias, explainability, quality and baselines that it points at, and what they say."""
        view = report_view.view_of(self.get_object())  # type: ignore[attr-defined]  # a viewset's
        return Response(ReportOutput([_shown(source) for source in view.sources], many=True).data)


def _shown(source: Source) -> dict[str, Any]:
    row, said = source.row, source.said()
    return {
        "kind": source.pointer.kind,
        "address": source.pointer.address,
        "is_baseline": source.pointer.kind.is_baseline,
        "counts": bool(row and row.counts),
        "problem": (row.problem or None) if row else None,
        "is_altered": bool(row and row.is_altered),
        "trouble": source.trouble,
        "read_at": row.read_at if row else None,
        "content_read_at": row.content_read_at if row else None,
        "written_at": row.written_at if row else None,
        "etag": (row.content_etag or None) if row else None,
        "sha256": (row.sha256 or None) if row else None,
        "size": row.size if row else None,
        "untold": source.untold,
        "bias": said.parts,
        "explanations": said.explanations,
        "model_quality": said.qualities,
    }
