"""RAM shares: declared, changed, withdrawn, accepted; with what each account can do and where RAM differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.filters import Filters, account_filter, exactly, one_of
from portal.core.serializers import Input, NoInput, Output, text, word
from portal.core.viewsets import ByPublicId, Listed, Revised
from registry.api.serializers import GroupReference, username
from registry.api.sharing import PostureOutput
from registry.choices import DeclarationState
from registry.models import DeclaredShare
from registry.selectors import sharing
from registry.sharing.verbs import Verb

from ..selectors import timeline
from ..selectors.timeline import Entry
from ..services import shares
from ..services.share_rules import MOST_MEMBERS, Wish
from .history import Storied


class SharePermissionOutput(Output):
    """What a share lets its accounts do: RAM's actions, and the plain verbs they come to."""

    arn = serializers.CharField()
    name = serializers.CharField()
    is_custom = serializers.BooleanField()
    actions = serializers.ListField(child=serializers.CharField())
    verbs = serializers.ListField(child=word(Verb))


class MemberOutput(Output):
    """One principal of a share as RAM has it."""

    principal = serializers.CharField()
    status = serializers.CharField(help_text="RAM's word, such as ASSOCIATED or ASSOCIATING.")
    status_message = serializers.CharField()
    external = serializers.BooleanField(source="is_external")


class InRamOutput(Output):
    """What RAM said of the share when it was last read."""

    arn = serializers.CharField()
    state = serializers.CharField()
    principals = MemberOutput(many=True, source="members.all")
    permissions = serializers.ListField(child=serializers.CharField(), help_text="ARN:version.")
    allows_external = serializers.BooleanField()
    seen_at = serializers.DateTimeField()


class InvitationOutput(Output):
    """One invitation an account received for the share."""

    account = serializers.CharField(source="receiver.account_id")
    status = serializers.CharField(help_text="PENDING, ACCEPTED, REJECTED, EXPIRED; GONE when RAM lists it no more.")
    invited_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Computed: RAM does not say it.")


class DeclaredShareOutput(Output):
    """One share the portal declares, and how far RAM is with it."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    state = word(DeclarationState)
    problem = serializers.CharField()
    groups = GroupReference(many=True, source="seen_groups")
    accounts = serializers.SerializerMethodField()
    organisation_principals = serializers.ListField(child=serializers.CharField())
    permission = serializers.SerializerMethodField()
    allows_external = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why it may let another account approve or delete, when it does.")
    share_arn = serializers.CharField()
    declared_by = username("declared_by")
    declared_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    revision = serializers.IntegerField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_accounts(self, row: DeclaredShare) -> list[str]:
        return sorted(account.account_id for account in row.accounts.all())

    @extend_schema_field(SharePermissionOutput)
    def get_permission(self, row: DeclaredShare) -> Any:
        arn = row.permission_arn or row.custom_permission_arn
        return SharePermissionOutput(
            {
                "arn": arn,
                "name": row.custom_name or arn.rsplit("/", 1)[-1],
                "is_custom": bool(row.custom_name),
                "actions": row.actions,
                "verbs": row.verbs,
            }
        ).data


class DeclaredShareDetail(DeclaredShareOutput):
    """One declared share with what RAM says of it, every difference, its invitations and who can do what."""

    in_ram = serializers.SerializerMethodField()
    differences = serializers.SerializerMethodField()
    invitations = serializers.SerializerMethodField()
    posture = serializers.SerializerMethodField()

    @extend_schema_field(InRamOutput(allow_null=True))
    def get_in_ram(self, row: DeclaredShare) -> Any:
        found = sharing.reported([row]).get(row.share_arn)
        return InRamOutput(found).data if found else None

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
    def get_differences(self, row: DeclaredShare) -> list[str] | None:
        return sharing.shown_drift(row)

    @extend_schema_field(InvitationOutput(many=True))
    def get_invitations(self, row: DeclaredShare) -> Any:
        return InvitationOutput(sharing.invitations_of(row.share_arn), many=True).data

    @extend_schema_field(PostureOutput(many=True))
    def get_posture(self, row: DeclaredShare) -> Any:
        return PostureOutput(sharing.posture_of_share(row), many=True).data


class CustomPermission(Input):
    """A permission of one's own."""

    name = serializers.CharField(max_length=36)
    policy_template = serializers.JSONField(
        help_text='{"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage", ...]}'
    )


class ShareInput(Input):
    """What is to be shared, with whom, and under which permission: one of RAM's, or one of your own."""

    name = serializers.CharField(max_length=255)
    groups = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=MOST_MEMBERS, help_text="Numbers of model groups."
    )
    accounts = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, max_length=MOST_MEMBERS, help_text="Account ids."
    )
    organisation_principals = serializers.ListField(
        child=serializers.CharField(max_length=2048),
        required=False,
        max_length=MOST_MEMBERS,
        help_text="ARNs of the organisation or of its units.",
    )
    permission = serializers.CharField(
        required=False, allow_blank=True, max_length=2048, help_text="The ARN of a permission RAM lists."
    )
    custom_permission = CustomPermission(required=False, allow_null=True)
    allows_external = serializers.BooleanField(
        required=False, allow_null=True, help_text="Null, or left out of a new share: as the accounts need it."
    )
    reason = text(help_text="Needed from an ML admin when it lets another account approve or delete.")


class DeclareInput(ShareInput):
    """... and, to take over a share RAM has already, its number among the resource shares."""

    take_over = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class ApplyInput(Input):
    """Why RAM is brought in line."""

    reason = text()


class AccountInput(Input):
    """An account the share is with."""

    account = serializers.CharField(max_length=12)


class AcceptOutput(Output):
    """The accounts that accept now; see `outbox/` for how it went."""

    accounts = serializers.ListField(child=serializers.CharField())


class PlannedOutput(Output):
    """What a share would let each account do."""

    actions = serializers.ListField(child=serializers.CharField())
    verbs = serializers.ListField(child=word(Verb))
    allows_external = serializers.BooleanField()
    posture = PostureOutput(many=True)


class ShareFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    state = one_of(DeclarationState, "state")
    group = exactly("groups__name", "The name of a model group.")
    shared_with = exactly("accounts__account_id", "Twelve digits.")


class Shares(Storied, ByPublicId, Revised, Listed):
    """Shares of model groups, as the portal declares them."""

    noun = "share"
    lookup_field = "number"
    public_id_prefix = "SHR"
    public_id_width = 4
    id_example = "SHR-0001"
    serializer_class = DeclaredShareDetail
    list_serializer_class = DeclaredShareOutput
    filterset_class = ShareFilters
    search_fields = ("name",)
    ordering = ("-id",)
    ordering_fields = {"id": "number", "name": "name", "declared_at": "declared_at"}

    def get_queryset(self) -> QuerySet[DeclaredShare]:
        return sharing.declared(self.actor)

    def story(self, row: Any) -> list[Entry]:
        return timeline.history_of_share(row)

    @extend_schema(request=DeclareInput, responses={201: DeclaredShareDetail})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Declare a share; a worker makes it in RAM and has its invitations accepted."""
        values = self.read(DeclareInput)
        made = shares.declare(actor=self.actor, wish=wish_from(values), take_over=values.get("take_over"))
        return self.show(made, 201)

    @extend_schema(request=ShareInput)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change a share; what is left out stays. RAM follows; If-Match says on which state."""
        row = self.get_object()
        revision = self.agreed_revision(row)
        values = self.read(ShareInput, partial=True)
        wish = wish_from(values, shares.wish_of(row))
        return self.show(shares.edit(actor=self.actor, number=row.number, revision=revision, wish=wish))

    @extend_schema(request=None, responses={202: DeclaredShareDetail})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take a share back: RAM deletes it, and its accounts lose access."""
        row = self.get_object()
        return self.show(shares.withdraw(actor=self.actor, number=row.number, revision=self.agreed_revision(row)), 202)

    @extend_schema(request=NoInput, responses={202: AcceptOutput})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, **kwargs: Any) -> Response:
        """Have every account with a pending invitation accept it."""
        row = self.get_object()
        self.read(NoInput)
        accounts = shares.accept(actor=self.actor, number=row.number)
        return Response(AcceptOutput({"accounts": [one.account_id for one in accounts]}).data, status=202)

    @extend_schema(request=AccountInput, responses={202: DeclaredShareDetail})
    @action(detail=True, methods=["post"])
    def reinvite(self, request: Request, **kwargs: Any) -> Response:
        """Invite an account again whose invitation expired or was turned down."""
        row = self.get_object()
        values = self.read(AccountInput)
        return self.show(shares.reinvite(actor=self.actor, number=row.number, account_id=values["account"]), 202)

    @extend_schema(request=ApplyInput, responses={202: DeclaredShareDetail})
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, **kwargs: Any) -> Response:
        """Bring RAM in line with the declaration again, after somebody changed it there or an attempt failed."""
        row = self.get_object()
        values = self.read(ApplyInput)
        return self.show(shares.reapply(actor=self.actor, number=row.number, reason=values["reason"]), 202)

    @extend_schema(request=NoInput, responses={202: DeclaredShareDetail})
    @action(detail=True, methods=["post"], url_path="read")
    def read_again(self, request: Request, **kwargs: Any) -> Response:
        """Have a worker read now what RAM says of a share."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(shares.request_sync(actor=self.actor, number=row.number), 202)

    @extend_schema(request=ShareInput, responses={200: PlannedOutput})
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, **kwargs: Any) -> Response:
        """Show what a share would let each account do; nothing is written."""
        terms, planned = shares.preview(actor=self.actor, wish=wish_from(self.read(ShareInput)))
        answer = {
            "actions": terms.actions,
            "verbs": terms.verbs,
            "allows_external": terms.allows_external,
            "posture": planned,
        }
        return Response(PlannedOutput(answer).data)


def wish_from(values: dict[str, Any], before: Wish | None = None) -> Wish:
    """Return the wish a body states; what it leaves out stays as it was. Raises InvalidInput for two permissions."""
    given: dict[str, Any] = {
        name: values[name]
        for name in ("name", "groups", "accounts", "organisation_principals", "allows_external", "reason")
        if name in values
    }
    custom = values.get("custom_permission")
    if custom and values.get("permission"):
        raise InvalidInput(
            "A share has one permission.", errors={"permission": ["Leave this or custom_permission out."]}
        )
    if custom:
        given |= {"custom_name": custom["name"], "custom_template": custom["policy_template"], "permission_arn": ""}
    elif values.get("permission"):
        given |= {"custom_name": "", "custom_template": None, "permission_arn": values["permission"]}
    if before is not None:
        return replace(before, **given)
    return Wish(**{"name": "", "groups": (), **given})
