"""Global search over everything one may see."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.search import SHORTEST, Typed
from portal.core.serializers import Output
from portal.core.viewsets import PortalView

from ..selectors.search import MOST, Kind, Matches, search

QUERY, KIND = "q", "kind"
KIND_CHOICES = [(kind.value, kind.value) for kind in Kind]


class HitOutput(Output):
    """One thing that was found; `id` is what its address carries."""

    id = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField(help_text="Its address, below `/api/v1/`.")
    status = serializers.CharField(help_text="Its status or state; empty where it has none.")


class MatchesOutput(Output):
    """What was found of one kind, the best first."""

    kind = serializers.ChoiceField(choices=KIND_CHOICES)
    count = serializers.IntegerField()
    is_more = serializers.BooleanField(help_text=f"There are more than the {MOST} that were looked at.")
    is_exact = serializers.BooleanField(help_text="It was named by its id or ARN.")
    results = HitOutput(many=True)


class SearchOutput(Output):
    """What was found, by kind; kinds of which nothing is found are left out."""

    results = MatchesOutput(many=True)


class Search(PortalView):
    """Search use cases, groups, versions, requests, findings, evidence and accounts by their names, ids and ARNs."""

    query_parameters = (QUERY, KIND)

    @extend_schema(
        operation_id="search",
        responses=SearchOutput,
        parameters=[
            OpenApiParameter(
                QUERY, OpenApiTypes.STR, required=True, description=f"At least {SHORTEST} characters, or an id or ARN."
            ),
            OpenApiParameter(
                KIND, OpenApiTypes.STR, enum=[kind.value for kind in Kind], description="Only this kind of thing."
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """Find what you may see; what you may not see is not found, also not through the name of something you may."""
        typed = Typed.read(request.query_params.get(QUERY))
        if not typed.is_enough:
            words = f"Give at least {SHORTEST} characters."
            raise InvalidInput("Say what to look for.", errors={QUERY: [words]})
        asked = request.query_params.get(KIND)
        if asked is not None and asked not in set(Kind):
            raise InvalidInput("There is no such kind.", errors={KIND: [f"Give one of {', '.join(Kind)}."]})
        kinds = tuple(Kind) if asked is None else (Kind(asked),)
        found = [_shown(matches) for matches in search(self.actor, typed, kinds)]
        return Response(SearchOutput({"results": found}).data)


def _shown(matches: Matches) -> dict[str, Any]:
    return {
        "kind": matches.kind.value,
        "count": matches.count,
        "is_more": matches.is_more,
        "is_exact": matches.is_exact,
        "results": [_hit(matches.kind, row) for row in matches.rows],
    }


_PATHS = {
    Kind.USE_CASE: "use-cases",
    Kind.GROUP: "model-groups",
    Kind.VERSION: "model-versions",
    Kind.REQUEST: "approvals",
    Kind.FINDING: "findings",
    Kind.EVIDENCE: "evidence",
    Kind.ACCOUNT: "accounts",
}


def _hit(kind: Kind, row: Any) -> dict[str, str]:
    if kind is Kind.ACCOUNT:
        number, name, status = row.account_id, row.alias, ""
    elif kind in (Kind.GROUP, Kind.VERSION):
        number, name, status = str(row.pk), row.name, getattr(row, "status", "")
    elif kind is Kind.USE_CASE:
        number, name, status = row.public_id, row.name, row.status
    elif kind is Kind.REQUEST:
        number, name, status = row.public_id, row.subject.name, row.state
    elif kind is Kind.FINDING:
        number, name, status = row.public_id, row.summary, row.state
    else:
        number, name, status = row.public_id, row.title, ""
    return {"id": number, "name": name, "path": f"{_PATHS[kind]}/{number}/", "status": status}
