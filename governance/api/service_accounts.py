"""Service accounts: made, changed and retired by ML admins; seen by auditors and by those who answer for them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.permissions import SERVICE_ROLES
from portal.core.serializers import LONGEST_TEXT, Input, Output
from portal.core.viewsets import ROW_ID, Listed, Revised
from registry.api.people import GivenRole, given_roles
from registry.api.serializers import PersonField, ProjectField, username
from registry.models import ServiceAccount
from registry.selectors import service_accounts as selectors
from registry.services import service_accounts

from ..choices import Role

_ROLES = [(role.value, role.label) for role in Role if role in SERVICE_ROLES]


class ServiceAccountOutput(Output):
    """A user that only tokens speak for, and who answers for it."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="user.username", help_text="As it stands wherever people are named.")
    purpose = serializers.CharField()
    responsible = username("responsible")
    is_active = serializers.BooleanField(source="user.is_active")
    roles = serializers.SerializerMethodField()
    tokens = serializers.SerializerMethodField(help_text="How many it holds.")
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    retired_by = serializers.CharField()
    revision = serializers.IntegerField()

    @extend_schema_field(GivenRole(many=True))
    def get_roles(self, account: ServiceAccount) -> list[dict[str, Any]]:
        user = account.user
        return given_roles(user.user_permissions.all(), user.projectuserobjectpermission_set.all())

    def get_tokens(self, account: ServiceAccount) -> int:
        return getattr(account, "token_count", None) or 0


class RoleGiven(Input):
    """A role that decides nothing, on one project or, without one, everywhere."""

    role = serializers.ChoiceField(choices=_ROLES)
    project = ProjectField(required=False, allow_null=True, default=None)


class ServiceAccountEdit(Input):
    """What may be changed; what is left out stays. Switched off, it loses its tokens at once."""

    purpose = serializers.CharField(max_length=service_accounts.LONGEST_PURPOSE, required=False)
    responsible = PersonField(required=False)
    is_active = serializers.BooleanField(required=False)
    roles = serializers.ListField(child=RoleGiven(), required=False, max_length=500, help_text="All it is to hold.")


class ServiceAccountInput(Input):
    """A service account that is to be made."""

    name = serializers.CharField(max_length=service_accounts.LONGEST_NAME)
    purpose = serializers.CharField(max_length=service_accounts.LONGEST_PURPOSE)
    responsible = PersonField()
    roles = serializers.ListField(child=RoleGiven(), required=False, default=list, max_length=500)


class AccountRetireInput(Input):
    """Why an account is retired."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class ServiceAccountFilters(Filters):
    """Filters of the list."""

    name = exactly("user__username", "What it is called.")
    responsible = exactly("responsible__username", "The sign-in name of who answers for it.")
    is_active = BooleanFilter(field_name="user__is_active", help_text="Whether it may be used.")
    is_retired = BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True, help_text="For good.")


class ServiceAccounts(Listed, Revised):
    """Service accounts: for ML admins and auditors of everything, and for those who answer for one."""

    noun = "service account"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = ServiceAccountOutput
    filterset_class = ServiceAccountFilters
    search_fields = ("user__username", "purpose", "responsible__username", "responsible__display_name")
    ordering_fields = {"id": "pk", "name": "user__username", "made_at": "made_at"}
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[ServiceAccount]:
        return selectors.accounts(self.actor)

    @extend_schema(request=ServiceAccountInput, responses={201: ServiceAccountOutput})
    def create(self, request: Request) -> Response:
        """Make a service account; it works once it has a token."""
        values = self.read(ServiceAccountInput)
        return self.show(service_accounts.create(actor=self.actor, **{**values, "roles": _given(values["roles"])}), 201)

    @extend_schema(request=ServiceAccountEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change an account. Whoever answered for it before stays barred from deciding on what it did."""
        account = self.get_object()
        # Not as a partial one: what is left out stays, but a role that is given is given whole.
        values = self.read(ServiceAccountEdit)
        revision = self.agreed_revision(account)
        if "roles" in values:
            values["roles"] = _given(values["roles"])
        return self.show(service_accounts.edit(actor=self.actor, account_id=account.pk, revision=revision, **values))

    @extend_schema(request=AccountRetireInput)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, **kwargs: Any) -> Response:
        """Retire an account for good: its tokens and roles are gone at once, what it did stays its own."""
        account = self.get_object()
        reason = self.read(AccountRetireInput)["reason"]
        return self.show(service_accounts.retire(actor=self.actor, account_id=account.pk, reason=reason))


def _given(roles: list[dict[str, Any]]) -> list[service_accounts.Given]:
    return [(Role(one["role"]), one["project"]) for one in roles]
