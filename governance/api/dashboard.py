"""The dashboard's figures: how everything one may see stands, counted under the conditions of the lists behind them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.serializers import Output, word
from portal.core.viewsets import PortalView
from registry.choices import ReviewDue
from registry.selectors.scope import projects_with_lines

from ..choices import Due, FindingKind, InPlace, Severity, Stage, Status
from ..selectors import figures
from ..selectors.figures import Funnel, Scope

PROJECT, LINE = "project", "line_of_business"


class StandingCount(Output):
    """How many stand at a stage in a status; what there is none of is left out."""

    stage = word(Stage)
    status = word(Status)
    count = serializers.IntegerField()


class RiskCount(Output):
    """How many of a risk stand at a stage: classes of use cases, ratings of versions."""

    risk = serializers.CharField()
    stage = word(Stage)
    count = serializers.IntegerField()


class FunnelOutput(Output):
    """How many stand where."""

    total = serializers.IntegerField()
    by_status = StandingCount(many=True)
    by_risk = RiskCount(many=True)


class DueCount(Output):
    """How many open requests stand so to their due date."""

    due = word(Due)
    count = serializers.IntegerField()


class ReviewCount(Output):
    """How many use cases stand so to the date of their next review."""

    review = word(ReviewDue)
    count = serializers.IntegerField()


class FindingCount(Output):
    """How many findings of a kind and severity stand."""

    kind = word(FindingKind)
    severity = word(Severity)
    count = serializers.IntegerField()


class RunningCount(Output):
    """How many deployments stand so to what is approved."""

    in_place = word(InPlace)
    count = serializers.IntegerField()


class DashboardOutput(Output):
    """Every figure of the dashboard."""

    use_cases = FunnelOutput()
    model_versions = FunnelOutput()
    open_requests = DueCount(many=True)
    reviews = ReviewCount(many=True)
    findings = FindingCount(many=True)
    running = RunningCount(many=True)


class Dashboard(PortalView):
    """Figures of what one may see, perhaps of one project or line of business."""

    query_parameters = (PROJECT, LINE)

    @extend_schema(
        operation_id="dashboard",
        responses=DashboardOutput,
        parameters=[
            OpenApiParameter(PROJECT, OpenApiTypes.STR, description="The key of a project."),
            OpenApiParameter(LINE, OpenApiTypes.STR, description="The name of a line of business."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Count use cases, versions, open requests, reviews, findings and deployments by how they stand."""
        actor, scope = self.actor, self._scope(request)
        cases, reviews = figures.use_cases(actor, scope)
        found = {
            "use_cases": _funnel(cases),
            "model_versions": _funnel(figures.versions(actor, scope)),
            "open_requests": [{"due": due, "count": n} for due, n in figures.requests(actor, scope).items()],
            "reviews": [{"review": due, "count": n} for due, n in reviews.items()],
            "findings": [
                {"kind": kind, "severity": severity, "count": n}
                for (kind, severity), n in sorted(figures.findings(actor, scope).items())
            ],
            "running": [{"in_place": word, "count": n} for word, n in figures.running(actor, scope).items()],
        }
        return Response(DashboardOutput(found).data)

    def _scope(self, request: Request) -> Scope:
        seen = projects_with_lines(self.actor)
        projects = {project.key: project.pk for project in seen}
        lines = {project.line_of_business.name: project.line_of_business_id for project in seen}
        chosen: dict[str, int] = {}
        for name, known in ((PROJECT, projects), (LINE, lines)):
            given = request.query_params.get(name)
            if given is None:
                continue
            if given not in known:
                raise InvalidInput(
                    "Some query parameters cannot be used; nothing was done.", errors={name: ["There is no such one."]}
                )
            chosen[name] = known[given]
        return Scope(**chosen)


def _funnel(found: Funnel) -> dict[str, Any]:
    return {
        "total": found.total,
        "by_status": [
            {"stage": stage, "status": status, "count": n} for (stage, status), n in sorted(found.by_status.items())
        ],
        "by_risk": [{"risk": risk, "stage": stage, "count": n} for (risk, stage), n in sorted(found.by_risk.items())],
    }
