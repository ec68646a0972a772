"""What the registry knows, shown and searched: written by the sync and by services, never from here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import (
    Classification,
    DeclaredShare,
    Deployment,
    GroupCreation,
    GroupPolicy,
    ModelGroup,
    ModelGroupGroupObjectPermission,
    ModelGroupUserObjectPermission,
    ModelVersion,
    PublicNumber,
    RamPermission,
    Registration,
    ResourceShare,
    ShareInvitation,
    SharePrincipal,
    SyncRun,
    UseCase,
    UseCaseDocument,
    UseCaseGroupObjectPermission,
    UseCaseReview,
    UseCaseUserObjectPermission,
    VersionUseCase,
)


class DocumentInline(RecordInline):
    model = UseCaseDocument
    fields = ("kind", "text", "author", "written_at")
    ordering = ("kind",)


class VersionUseCaseInline(RecordInline):
    model = VersionUseCase
    fields = ("use_case", "source")
    ordering = ("use_case",)


@admin.register(UseCase, site=console)
class UseCaseAdmin(RecordAdmin):
    list_display = ("public_id", "name", "project", "stage", "status", "risk_class", "model_owner", "next_review_on")
    list_filter = ("stage", "status", "risk_class", "project")
    list_select_related = ("project", "model_owner")
    search_fields = ("=number", "name", "intended_purpose")
    date_hierarchy = "registered_at"
    ordering = ("-number",)
    inlines = (DocumentInline,)

    def object_links(self, row: UseCase) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:use_case", args=[row.number]))]


@admin.register(Classification, site=console)
class ClassificationAdmin(RecordAdmin):
    list_display = (
        "use_case", "state", "proposed_class", "confirmed_class", "edition", "assessor", "assessed_at", "decided_by",
    )  # fmt: skip
    list_filter = ("state", "proposed_class", "confirmed_class", "edition", "is_derogated")
    list_select_related = ("use_case", "assessor", "decided_by")
    search_fields = ("use_case__name", "=use_case__number", "reason", "decision_reason")
    date_hierarchy = "assessed_at"
    ordering = ("-assessed_at",)

    def object_links(self, row: Classification) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:use_case_ai_act", args=[row.use_case.number]))]


@admin.register(UseCaseDocument, site=console)
class UseCaseDocumentAdmin(RecordAdmin):
    list_display = ("use_case", "kind", "author", "written_at")
    list_filter = ("kind",)
    list_select_related = ("use_case", "author")
    search_fields = ("use_case__name", "text")
    date_hierarchy = "written_at"
    ordering = ("-written_at",)


@admin.register(UseCaseReview, site=console)
class UseCaseReviewAdmin(RecordAdmin):
    list_display = ("use_case", "reviewed_on", "reviewer", "next_review_on", "recorded_at")
    list_select_related = ("use_case", "reviewer")
    search_fields = ("use_case__name", "=use_case__number", "note")
    date_hierarchy = "reviewed_on"
    ordering = ("-reviewed_on",)


@admin.register(ModelGroup, site=console)
class ModelGroupAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "project", "owner", "aws_created_at", "missing_since")
    list_filter = ("account", "project", ("missing_since", admin.EmptyFieldListFilter))
    list_select_related = ("account", "project", "owner")
    search_fields = ("name", "arn")
    ordering = ("name",)

    def object_links(self, row: ModelGroup) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:group", args=[row.pk]))]


@admin.register(ModelVersion, site=console)
class ModelVersionAdmin(RecordAdmin):
    list_display = ("name", "stage", "status", "risk_rating", "aws_approval_status", "registered_by", "aws_created_at")
    list_filter = ("stage", "status", "risk_rating", "aws_approval_status", "group__project")
    list_select_related = ("group", "registered_by")
    search_fields = ("arn", "group__name", "registrant_arn")
    date_hierarchy = "aws_created_at"
    ordering = ("-aws_created_at",)
    inlines = (VersionUseCaseInline,)

    def object_links(self, row: ModelVersion) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:version", args=[row.pk]))]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The inline shows the use cases with where each link comes from.
        return [field for field in super().get_fields(request, obj) if field != "use_cases"]


@admin.register(VersionUseCase, site=console)
class VersionUseCaseAdmin(RecordAdmin):
    list_display = ("version", "use_case", "source")
    list_filter = ("source",)
    list_select_related = ("version__group", "use_case")
    search_fields = ("version__arn", "use_case__name", "=use_case__number")
    ordering = ("-pk",)


@admin.register(Deployment, site=console)
class DeploymentAdmin(RecordAdmin):
    list_display = ("version", "stage", "account", "region", "mode", "state", "ordered_at", "reported_at")
    list_filter = ("state", "mode", "stage", "account")
    list_select_related = ("version__group", "account")
    search_fields = ("version__arn", "endpoint")
    date_hierarchy = "ordered_at"
    ordering = ("-ordered_at",)


@admin.register(ResourceShare, site=console)
class ResourceShareAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "state", "allows_external", "seen_at")
    list_filter = ("state", "account", "allows_external")
    list_select_related = ("account",)
    search_fields = ("name", "arn", "groups__name")
    ordering = ("name",)


@admin.register(DeclaredShare, site=console)
class DeclaredShareAdmin(RecordAdmin):
    list_display = ("number", "name", "account", "region", "state", "allows_external", "declared_by", "changed_at")
    list_filter = ("state", "account", "allows_external")
    list_select_related = ("account", "declared_by")
    search_fields = ("name", "share_arn", "groups__name")
    ordering = ("-number",)


@admin.register(SharePrincipal, site=console)
class SharePrincipalAdmin(RecordAdmin):
    list_display = ("principal", "share", "status", "is_external")
    list_filter = ("status", "is_external")
    list_select_related = ("share",)
    search_fields = ("principal", "share__name")
    ordering = ("share", "principal")


@admin.register(RamPermission, site=console)
class RamPermissionAdmin(RecordAdmin):
    list_display = ("name", "version", "account", "region", "kind", "is_default", "is_current", "read_at")
    list_filter = ("account", "kind", "is_current")
    list_select_related = ("account",)
    search_fields = ("name", "arn")
    ordering = ("account", "region", "name", "version")


@admin.register(GroupPolicy, site=console)
class GroupPolicyAdmin(RecordAdmin):
    list_display = ("group", "read_at")
    list_select_related = ("group",)
    search_fields = ("group__name", "document")
    ordering = ("group__name",)


@admin.register(Registration, site=console)
class RegistrationAdmin(RecordAdmin):
    list_display = ("public_id", "group", "requested_by", "requested_at", "state", "reference")
    list_filter = ("state", "requested_at")
    list_select_related = ("group", "requested_by")
    search_fields = ("number", "group__name", "arn", "reference", "requested_by__username")
    ordering = ("-number",)

    def object_links(self, row: Registration) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:registration", args=[row.number]))]


@admin.register(GroupCreation, site=console)
class GroupCreationAdmin(RecordAdmin):
    list_display = ("public_id", "name", "account", "region", "requested_by", "requested_at", "state")
    list_filter = ("state", "account", "requested_at")
    list_select_related = ("account", "requested_by")
    search_fields = ("number", "name", "requested_by__username")
    ordering = ("-number",)

    def object_links(self, row: GroupCreation) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:group_creation", args=[row.number]))]


@admin.register(ShareInvitation, site=console)
class ShareInvitationAdmin(RecordAdmin):
    list_display = ("share_name", "sender_account_id", "receiver", "status", "invited_at", "seen_at")
    list_filter = ("status", "receiver")
    list_select_related = ("receiver",)
    search_fields = ("share_name", "arn", "share_arn")
    ordering = ("-invited_at",)


@admin.register(SyncRun, site=console)
class SyncRunAdmin(RecordAdmin):
    list_display = (
        "started_at", "account", "region", "kind", "state", "requested_by", "calls", "throttles", "created", "updated",
        "missing",
    )  # fmt: skip
    list_filter = ("state", "kind", "account")
    list_select_related = ("account",)
    search_fields = ("requested_by", "error")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)


@admin.register(PublicNumber, site=console)
class PublicNumberAdmin(RecordAdmin):
    list_display = ("series", "last")
    ordering = ("series",)


class ShownToAdmin(RecordAdmin):
    """One use case or group shown to people without a role on its project."""

    ordering = ("-pk",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (self._holder, "permission", "content_object")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        name = "user__username" if self._holder == "user" else "group__name"
        return (name, "content_object__name")

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        return (self._holder, "permission__content_type", "content_object")

    @property
    def _holder(self) -> str:
        return "user" if any(field.name == "user" for field in self.opts.concrete_fields) else "group"


console.register(
    [
        UseCaseUserObjectPermission,
        UseCaseGroupObjectPermission,
        ModelGroupUserObjectPermission,
        ModelGroupGroupObjectPermission,
    ],
    ShownToAdmin,
)
