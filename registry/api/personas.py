"""The personas' policies for an account, and the roles found in it beside them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.serializers import Input, Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import Persona
from ..models import AccountRole
from ..selectors import personas
from ..services import account_roles


class PersonaPolicyOutput(Output):
    """What a persona may do in an account: one IAM policy, or several where one would be longer than IAM takes."""

    persona = word(Persona)
    summary = serializers.CharField()
    documents = serializers.ListField(child=serializers.DictField(child=serializers.JSONField()))
    notes = serializers.ListField(child=serializers.CharField())


class RoleComparison(Output):
    """What a role may do beyond its persona and what it lacks of it, a sentence each.

    `persona` is the one an ML admin linked it to, else the one it most resembles; null: it may do nothing of theirs.
    `goes_around` says whether it may approve, delete, share, or change policies.
    """

    persona = word(Persona, allow_null=True)
    is_linked = serializers.BooleanField()
    beyond = serializers.ListField(child=serializers.CharField())
    lacks = serializers.ListField(child=serializers.CharField())
    goes_around = serializers.BooleanField()


class AccountRoleOutput(Output):
    """One role that people or SageMaker can take in an account.

    `policies` is null when they were not read, and `problem` says why; `comparison` is null without them. `boundary` is
    its permissions boundary, {} where it has none, null where that was not read; its `document` is null where it may
    not be read. Service control policies are not read.
    """

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id")
    arn = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    aws_created_at = serializers.DateTimeField(allow_null=True)
    policies = serializers.ListField(child=serializers.DictField(child=serializers.JSONField()), allow_null=True)
    boundary = serializers.DictField(child=serializers.JSONField(), allow_null=True)
    problem = serializers.CharField()
    missing_since = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField()
    linked_by = serializers.CharField(source="linked_by.username", allow_null=True, default=None)
    linked_at = serializers.DateTimeField(allow_null=True)
    comparison = serializers.SerializerMethodField()

    @extend_schema_field(RoleComparison(allow_null=True))
    def get_comparison(self, row: AccountRole) -> Any:
        found = personas.found_role(row).comparison
        return RoleComparison(found).data if found else None


class PersonaLink(Input):
    """The persona a role stands for."""

    persona = word(Persona, allow_blank=True, help_text="Empty: none in particular, so the one it most resembles.")


class AccountRoleFilters(Filters):
    """Filters of the list."""

    account = exactly("account__account_id", "An account by its twelve digits.")
    name = exactly("name", "The name of a role.")


class AccountRoles(Listed, Detailed):
    """Roles that people or SageMaker can take, compared with their personas."""

    noun = "role"
    problem_statuses = (403,)
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = AccountRoleOutput
    filterset_class = AccountRoleFilters
    search_fields = ("name", "arn")
    ordering_fields = {"id": "pk", "name": "name", "read_at": "read_at"}

    def get_queryset(self) -> QuerySet[AccountRole]:
        return personas.role_list(self.actor) if self.is_list else personas.roles(self.actor)

    @extend_schema(request=PersonaLink, responses={200: AccountRoleOutput})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, **kwargs: Any) -> Response:
        """Say for which persona a role stands; it is compared with that one from then on."""
        row = self.get_object()
        persona = self.read(PersonaLink)["persona"]
        account_roles.link(actor=self.actor, account_id=row.account.account_id, role_id=row.pk, persona=persona)
        return Response(AccountRoleOutput(personas.role(self.actor, row.pk)).data)
