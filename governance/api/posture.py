"""What every other account can do with the model groups one may see."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Output
from portal.core.viewsets import PortalView
from registry.api.serializers import GroupReference
from registry.api.sharing import PostureOutput
from registry.selectors import posture_matrix

ACCOUNT = "account"


class GroupPostureOutput(Output):
    """One model group somebody else is let into, and what each account can do with it."""

    group = GroupReference()
    accounts = PostureOutput(many=True)


class PostureMatrixOutput(Output):
    """Every group somebody else is let into; `guarded` counts where another account may approve or delete."""

    groups = GroupPostureOutput(many=True)
    guarded = serializers.IntegerField()
    left_out = serializers.IntegerField(help_text="How many groups were not looked at, because there are too many.")


class Posture(PortalView):
    """Which account can do what with which group, by shares and by resource policies."""

    query_parameters = (ACCOUNT,)

    @extend_schema(
        operation_id="shares_posture",
        responses=PostureMatrixOutput,
        parameters=[
            OpenApiParameter(
                ACCOUNT, OpenApiTypes.STR, description="Only this account, by its twelve digits; `*` is everybody."
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Show what each other account can do with each group."""
        found, left_out = posture_matrix.postures(self.actor)
        asked = request.query_params.get(ACCOUNT)
        rows: list[dict[str, Any]] = []
        for group, postures in found:
            shown = [row for row in postures if asked in (None, row.account_id)]
            if shown:
                rows.append({"group": group, "accounts": shown})
        guarded = sum(row.is_guarded for one in rows for row in one["accounts"])
        return Response(PostureMatrixOutput({"groups": rows, "guarded": guarded, "left_out": left_out}).data)
