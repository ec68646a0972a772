"""Delegations: who decides for whom, and from when to when."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import DateFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly, one_of, yes_or_no
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from registry.api.serializers import PersonField, ProjectField, username

from ..choices import Role
from ..models import Delegation
from ..selectors import delegations as selectors
from ..services import delegations


class DelegationOutput(Output):
    """One deciding role in another person's hands."""

    id = serializers.IntegerField(source="pk")
    delegator = username("delegator")
    delegate = username("delegate")
    role = word(Role)
    project = serializers.CharField(source="project.key", allow_null=True, default=None)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    reason = serializers.CharField()
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField()


class DelegationInput(Input):
    """Who stands in for whom; without a delegator it is your own role."""

    delegator = PersonField(required=False, allow_null=True, default=None)
    delegate = PersonField()
    role = word(Role)
    project = ProjectField(required=False, allow_null=True, default=None)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="Included; at most 90 days after the start.")
    reason = serializers.CharField(max_length=LONGEST_TEXT)


class DelegationFilters(Filters):
    """Filters of the list."""

    role = one_of(Role, "role")
    delegator = exactly("delegator__username", "A sign-in name.")
    delegate = exactly("delegate__username", "A sign-in name.")
    is_revoked = yes_or_no("revoked", "Whether it was taken back.")
    starts_until = DateFilter(field_name="starts_on", lookup_expr="lte", help_text="It began on this day or before.")
    ends_since = DateFilter(field_name="ends_on", lookup_expr="gte", help_text="It ends on this day or later.")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset.annotate(revoked=Q(revoked_at__isnull=False)))


class Delegations(Listed, Detailed):
    """Delegations, your own and, for those who administer access or read the trail, everybody's."""

    noun = "delegation"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = DelegationOutput
    search_fields = ("delegator__username", "delegate__username", "reason")
    filterset_class = DelegationFilters
    ordering_fields = {
        "id": "pk",
        "delegate": "delegate__username",
        "delegator": "delegator__username",
        "role": "role",
        "starts_on": "starts_on",
        "ends_on": "ends_on",
    }

    def get_queryset(self) -> QuerySet[Delegation]:
        return selectors.register(self.actor)

    @extend_schema(request=DelegationInput, responses={201: DelegationOutput})
    def create(self, request: Request) -> Response:
        """Let somebody decide in your name for some days, or, as an ML admin, in the name of one who is away."""
        values = self.read(DelegationInput)
        made = delegations.delegate(
            actor=self.actor,
            delegator=values["delegator"] or selectors.oneself(self.actor),
            to=values["delegate"],
            role=Role(values["role"]),
            project=values["project"],
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
            reason=values["reason"],
        )
        return self.show(made, 201)

    @extend_schema(request=NoInput)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End it now; what was decided under it stands."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(delegations.revoke(actor=self.actor, delegation_id=row.pk))
