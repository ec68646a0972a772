"""Model versions, governed: submitted, retired; their tier of risk and what they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.csv_export import CsvRenderer
from portal.core.database import prepared
from portal.core.errors import NotFound
from portal.core.serializers import LONGEST_TEXT, Input, Output, word
from portal.core.sparse import asked_fields, in_order
from registry.api import versions as registry_api
from registry.api.reports import ReportViews
from registry.models import ModelVersion

from ..choices import MODEL_STAGE_CHOICES, Agreement, OutsideOutcome, OutsideResponse, RiskRating, Stage
from ..selectors import as_of, out_of_band, version_rows
from ..selectors import policy as policies
from ..selectors.version_now import VersionNow, version_now
from ..services import in_production
from .as_of import AS_OF_PARAMETER, Dated, PastVersionFilters, VersionThen, VersionThenInFull, either
from .lifecycle import Governed
from .pipeline_runs import PipelineRuns
from .registrations import PREFER, WORKER_GOES_ON, Registers, RegistrationDetail, VersionInput
from .requirements import Asked, RequirementsOutput, requirements_now, requirements_read
from .runs import Runs, WithRun
from .version_views import VersionViews


class _Tier(serializers.Serializer):
    risk_tier = serializers.SerializerMethodField()
    risk_tier_source = serializers.SerializerMethodField()

    @extend_schema_field(word(RiskRating))
    def get_risk_tier(self, version: ModelVersion) -> str:
        return policies.tier_of(version).value.value

    def get_risk_tier_source(self, version: ModelVersion) -> str:
        return policies.tier_of(version).source


class AgreementOutput(Output):
    """How what SageMaker says of a version stands to the portal's word about it."""

    verdict = word(Agreement)
    words = serializers.CharField(help_text="In plain words: what both say, and who changed it when.")
    since = serializers.DateTimeField(allow_null=True)


class OutsideChangeOutput(Output):
    """One change made outside the portal, and the one answer to it."""

    verdict = word(Agreement)
    aws_said = serializers.CharField()
    portal_said = serializers.CharField()
    principal = serializers.CharField()
    person = serializers.CharField(source="person.username", allow_null=True, help_text="Whom it is linked to.")
    aws_modified_at = serializers.DateTimeField()
    policy_version = serializers.IntegerField(source="policy.number")
    response = word(OutsideResponse, help_text="What the policy asked for.")
    outcome = word(OutsideOutcome, help_text="What was done.")
    reason = serializers.CharField(help_text="Why it is not what the policy asked for.")
    at = serializers.DateTimeField()


class VersionRow(_Tier, registry_api.VersionSummary):
    """A model version as a list shows it, with the tier of risk that policies look at."""


# What a row of the list is made of; `version_rows` reads it without the serializer, which says what it is.
ROW_NAMES = tuple(VersionRow().fields)


class VersionOutput(WithRun, _Tier, registry_api.VersionDetail):
    """A model version in full, with what its approval needs where it stands."""

    requirements = serializers.SerializerMethodField()
    agreement = serializers.SerializerMethodField()
    outside_changes = serializers.SerializerMethodField()

    @extend_schema_field(AgreementOutput)
    def get_agreement(self, version: ModelVersion) -> dict[str, Any]:
        return AgreementOutput(out_of_band.judgement_of(version)).data

    @extend_schema_field(OutsideChangeOutput(many=True))
    def get_outside_changes(self, version: ModelVersion) -> list[dict[str, Any]]:
        return list(OutsideChangeOutput(out_of_band.changes_of(version), many=True).data)

    @extend_schema_field(RequirementsOutput(allow_null=True))
    def get_requirements(self, version: ModelVersion) -> dict[str, Any] | None:
        found = requirements_now(version)
        return None if found is None else RequirementsOutput(found).data


DETAIL_NAMES = tuple(VersionOutput().fields)


class RollbackInput(Input):
    """Where this version is to run again, and why."""

    stage = serializers.ChoiceField(choices=MODEL_STAGE_CHOICES)
    reason = serializers.CharField(max_length=LONGEST_TEXT)


class ModelVersions(
    Dated, Asked, Governed, VersionViews, ReportViews, Runs, PipelineRuns, Registers, registry_api.ModelVersions
):
    """Model versions."""

    serializer_class = VersionOutput
    list_serializer_class = VersionRow
    dated = ("list", "retrieve")
    past = {
        "filterset_class": PastVersionFilters,
        "list_serializer_class": VersionThen,
        "search_fields": ("group",),
        "ordering_fields": {
            "id": "pk",
            "group": "group",
            "version": "number",
            "stage": "stage",
            "status": "status",
            "risk": "risk",
        },
    }

    def get_queryset(self) -> QuerySet[Any]:
        if self.is_list and self.moment is not None:
            return as_of.versions_as_of(self.actor, self.moment)
        return super().get_queryset()

    @extend_schema(
        parameters=[AS_OF_PARAMETER], responses=either("VersionRowNowOrThen", VersionRow, VersionThen, many=True)
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the versions, page by page; as of a moment, what the portal keeps the past of."""
        if self.moment is not None or request.accepted_renderer.format == CsvRenderer.format:
            return super().list(request, *args, **kwargs)
        names = in_order(asked_fields(request, ROW_NAMES), ROW_NAMES)
        found = self.filter_queryset(version_rows.visible(self.actor))
        # Pages continue at the columns they are ordered by, so those are read whatever is shown.
        with prepared():
            page = self.paginate_queryset(version_rows.plain(found, names, ("pk", *self.ordering_fields.values())))
            assert page is not None
            rows = version_rows.shown(page, names)
        return self.get_paginated_response(rows)

    @extend_schema(
        parameters=[AS_OF_PARAMETER], responses=either("VersionNowOrThen", VersionOutput, VersionThenInFull, many=False)
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a version; as of a moment with its records, what waited and what had been decided then."""
        if self.moment is not None:
            return self.show_then(self.get_object(), VersionThenInFull)
        names = in_order(asked_fields(request, DETAIL_NAMES), DETAIL_NAMES)
        found = version_now(self.actor, int(self.kwargs[self.lookup_url_kwarg]))
        if found is None:
            raise NotFound(f"There is no such {self.noun}.")
        return Response(self.shown_now(found, names))

    def shown_now(self, found: VersionNow, names: Sequence[str]) -> dict[str, Any]:
        """Return what these names say of a version, as `VersionOutput` does; what is rare it is asked for itself."""
        plain = [name for name in names if name not in _MADE]
        answer = version_rows.shown_one(found.row, plain)
        for name in names:
            if name in _MADE:
                answer[name] = _MADE[name](self, found)
        return {name: answer[name] for name in names}

    def shown_by_serializer(self, found: VersionNow, name: str) -> Any:
        """Return one field as the serializer says it."""
        field = VersionOutput(context=self.get_serializer_context()).fields[name]
        return field.to_representation(field.get_attribute(found.version))

    @extend_schema(
        request=VersionInput,
        parameters=[PREFER],
        responses={201: VersionOutput, 202: OpenApiResponse(RegistrationDetail, description=WORKER_GOES_ON)},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register a version in a group of the hub, waiting for approval in development."""
        return self.register()

    @extend_schema(request=RollbackInput)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, **kwargs: Any) -> Response:
        """Order the deployment of this earlier version, which was approved for that stage, with a reason."""
        version = self.get_object()
        values = self.read(RollbackInput)
        rolled_back = in_production.rollback(
            actor=self.actor, version_id=version.pk, stage=Stage(values["stage"]), reason=values["reason"]
        )
        return self.show(rolled_back)


def _requirements(view: ModelVersions, found: VersionNow) -> Any:
    needs = requirements_read(found)
    # Plain already, but for metric rules.
    return RequirementsOutput(needs).data if needs is not None and needs["metrics"] else needs


def _agreement(view: ModelVersions, found: VersionNow) -> dict[str, Any]:
    judgement = found.judgement
    return {"verdict": judgement.verdict.value, "words": judgement.words, "since": judgement.since}


def _outside_changes(view: ModelVersions, found: VersionNow) -> Any:
    return view.shown_by_serializer(found, "outside_changes") if found.has_outside_changes else []


def _mlflow_run(view: ModelVersions, found: VersionNow) -> Any:
    return view.shown_by_serializer(found, "mlflow_run") if found.has_run else None


_MADE: dict[str, Callable[[ModelVersions, VersionNow], Any]] = {
    "requirements": _requirements,
    "agreement": _agreement,
    "outside_changes": _outside_changes,
    "mlflow_run": _mlflow_run,
}
