"""Break-glass: checks of the policy overridden for a while, and the register of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, arn_filter, one_of, use_case_filter
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, word
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.serializers import username
from registry.models import UseCase

from ..choices import LIVING_STAGE_CHOICES, Stage, SubjectKind
from ..models import Override
from ..selectors import overrides as selectors
from ..services import overrides


class OverriddenOutput(Output):
    """What an override is about."""

    kind = word(SubjectKind)
    id = serializers.CharField(help_text="UC-0001 for a use case, the number of a model version.")
    name = serializers.CharField()


class OverrideOutput(Output):
    """One check that counts as passed until it expires."""

    id = serializers.CharField(source="public_id")
    subject = serializers.SerializerMethodField()
    stage = word(Stage)
    check = serializers.CharField(source="check_key")
    rule = serializers.CharField(source="check_label")
    reason = serializers.CharField()
    granted_by = username("granted_by")
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField()

    @extend_schema_field(OverriddenOutput)
    def get_subject(self, row: Override) -> dict[str, Any]:
        subject = row.subject
        number = subject.public_id if isinstance(subject, UseCase) else str(subject.pk)
        return {"kind": row.kind, "id": number, "name": subject.name}


class BreakGlassInput(Input):
    """Which failing check is overridden, why, and until when."""

    stage = serializers.ChoiceField(choices=LIVING_STAGE_CHOICES)
    check = serializers.CharField(max_length=300, help_text="The key of a check, as the requirements name it.")
    reason = serializers.CharField(max_length=LONGEST_TEXT)
    expires_at = serializers.DateTimeField(help_text="At most 30 days from now.")


class OverrideFilters(Filters):
    """Filters of the list."""

    stage = one_of(Stage, "stage")
    use_case = use_case_filter("use_case__number")
    model_package_arn = arn_filter("version__arn")
    in_force = BooleanFilter(method="counting", help_text="Neither revoked nor expired.")

    def counting(self, rows: QuerySet[Override], name: str, value: bool) -> QuerySet[Override]:
        return selectors.in_force(rows) if value else selectors.over(rows)


class Overrides(ByPublicId, Listed, Detailed):
    """Overrides of failing checks."""

    noun = "override"
    lookup_field = "pk"
    public_id_prefix = "BG"
    id_example = "BG-000001"
    serializer_class = OverrideOutput
    filterset_class = OverrideFilters
    search_fields = ("reason", "check_label")
    ordering_fields = {"id": "pk", "granted_at": "granted_at", "expires_at": "expires_at"}

    def get_queryset(self) -> QuerySet[Override]:
        return selectors.register(self.actor)

    @extend_schema(request=NoInput)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End it now: the check counts as it stands again."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(overrides.revoke(actor=self.actor, override_id=row.pk))
