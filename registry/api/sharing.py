"""What an account can do with a model group, and RAM's own shares, as the API shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import Filters, account_filter, exactly, one_of
from portal.core.serializers import Output, public_id, word
from portal.core.viewsets import Listed

from ..choices import ShareState
from ..models import ResourceShare
from ..selectors import resources
from ..sharing.posture import AccountPosture
from ..sharing.verbs import Verb
from .serializers import GroupReference


class WayOutput(Output):
    """One way by which an account can do something."""

    verb = word(Verb)
    through = serializers.CharField(source="source", help_text="The share or the resource policy it comes from.")
    sure = serializers.BooleanField(help_text="False: it depends on a condition that cannot be judged here.")
    pending = serializers.BooleanField(help_text="True: once the invitation is accepted.")
    limited_to = serializers.CharField(source="to", help_text="Such as one role of the account; empty: all of it.")


class PostureOutput(Output):
    """What one account can do with a model group; `*` is everybody."""

    account = serializers.CharField(source="account_id")
    verbs = serializers.SerializerMethodField()
    words = serializers.CharField()
    ways = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=word(Verb)))
    def get_verbs(self, row: AccountPosture) -> list[str]:
        return [verb.value for verb in Verb if verb in row.ways]

    @extend_schema_field(WayOutput(many=True))
    def get_ways(self, row: AccountPosture) -> Any:
        return WayOutput([way for ways in row.ways.values() for way in ways], many=True).data


class ResourceShareOutput(Output):
    """One RAM resource share, as AWS reports it."""

    id = serializers.IntegerField(source="pk")
    arn = serializers.CharField()
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    state = word(ShareState)
    groups = GroupReference(many=True, source="groups.all")
    principals = serializers.ListField(child=serializers.CharField())
    permission_arns = serializers.ListField(child=serializers.CharField())
    allows_external = serializers.BooleanField()
    feature_set = serializers.CharField(help_text="CREATED_FROM_POLICY: RAM made it of a group's resource policy.")
    declared_as = serializers.SerializerMethodField(help_text="The declared share; null: nobody declared it.")
    seen_at = serializers.DateTimeField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_declared_as(self, row: Any) -> str | None:
        return public_id(row.declared_number, "SHR", 4)


class ResourceShareFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    state = one_of(ShareState, "state")
    group = exactly("groups__name", "The name of a model group.")


class ResourceShares(Listed):
    """RAM shares of model groups, declared or not, as AWS reports them."""

    noun = "resource share"
    serializer_class = ResourceShareOutput
    filterset_class = ResourceShareFilters
    search_fields = ("name",)
    ordering_fields = {"id": "pk", "name": "name", "account": "account__account_id", "state": "state"}

    def get_queryset(self) -> QuerySet[ResourceShare]:
        return resources.shares(self.actor)
