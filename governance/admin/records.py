"""Governance in the console for ML admins: read and searched, and never written from here."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import (
    ApprovalRequest,
    Decision,
    Delegation,
    DeploymentChannel,
    DeploymentOrder,
    Evidence,
    Finding,
    LifecycleEdge,
    MetricReport,
    OutboxMessage,
    OutsideChange,
    Override,
    PolicyRule,
    PolicyVersion,
    SigningKey,
    StageEvent,
    StageRecord,
    UseCaseStageRecord,
    WaitingCallback,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEvent,
)

_ABOUT = ("use_case", "version__group")


class DecisionInline(RecordInline):
    model = Decision
    fields = ("decider", "role", "verdict", "comment", "source", "decided_at")
    ordering = ("pk",)


class PolicyRuleInline(RecordInline):
    model = PolicyRule
    fields = (
        "kind",
        "stage",
        "tier",
        "approvals",
        "evidence",
        "metrics",
        "provenance",
        "days_until_due",
        "days_until_expiry",
    )
    ordering = ("kind", "stage", "tier")


@admin.register(Delegation, site=console)
class DelegationAdmin(RecordAdmin):
    list_display = ("delegate", "delegator", "role", "project", "starts_on", "ends_on", "revoked_at")
    list_filter = ("role",)
    list_select_related = ("delegate", "delegator", "project")
    search_fields = ("delegate__username", "delegator__username", "reason")
    ordering = ("-pk",)


@admin.register(Override, site=console)
class OverrideAdmin(RecordAdmin):
    list_display = (
        "public_id",
        "subject",
        "stage",
        "check_label",
        "granted_by",
        "granted_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = ("kind", "stage")
    list_select_related = (*_ABOUT, "granted_by")
    search_fields = ("=pk", "check_label", "reason", "version__group__name", "use_case__name")
    date_hierarchy = "granted_at"
    ordering = ("-pk",)


@admin.register(ApprovalRequest, site=console)
class ApprovalRequestAdmin(RecordAdmin):
    list_display = ("public_id", "subject", "stage", "to_stage", "state", "tier", "requester", "created_at", "due_at")
    list_filter = ("state", "kind", "stage", "tier")
    list_select_related = (*_ABOUT, "requester")
    search_fields = ("=pk", "version__group__name", "use_case__name", "requester__username", "note")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    inlines = (DecisionInline,)

    def object_links(self, row: ApprovalRequest) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:request", args=[row.pk]))]


@admin.register(Decision, site=console)
class DecisionAdmin(RecordAdmin):
    list_display = ("decided_at", "request", "decider", "role", "verdict", "source", "comment")
    list_filter = ("verdict", "role", "source")
    list_select_related = ("request", "decider")
    search_fields = ("=request__pk", "decider__username", "decider_name", "comment")
    date_hierarchy = "decided_at"
    ordering = ("-decided_at",)


@admin.register(OutsideChange, site=console)
class OutsideChangeAdmin(RecordAdmin):
    list_display = ("at", "version", "verdict", "aws_said", "portal_said", "person", "response", "outcome", "is_war")
    list_filter = ("verdict", "response", "outcome", "is_war")
    list_select_related = ("version__group", "person")
    search_fields = ("version__arn", "principal", "person__username", "reason")
    date_hierarchy = "at"
    ordering = ("-pk",)


@admin.register(Evidence, site=console)
class EvidenceAdmin(RecordAdmin):
    list_display = ("public_id", "title", "kind", "edition", "subject", "source", "author_name", "added_at")
    list_filter = ("kind", "source")
    list_select_related = _ABOUT
    search_fields = ("=pk", "title", "=sha256", "s3_uri", "use_case__name", "version__group__name", "author_name")
    date_hierarchy = "added_at"
    ordering = ("-pk",)


@admin.register(PolicyVersion, site=console)
class PolicyVersionAdmin(RecordAdmin):
    list_display = (
        "number",
        "state",
        "on_outside_approval",
        "on_outside_rejection",
        "created_by",
        "published_at",
        "published_by",
        "note",
    )
    list_filter = ("state",)
    search_fields = ("=number", "note", "published_by")
    date_hierarchy = "published_at"
    ordering = ("-number",)
    inlines = (PolicyRuleInline,)

    def object_links(self, row: PolicyVersion) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:policy", args=[row.number]))]


@admin.register(PolicyRule, site=console)
class PolicyRuleAdmin(RecordAdmin):
    list_display = ("policy", "kind", "stage", "tier", "days_until_due", "days_until_expiry")
    list_filter = ("policy", "kind", "stage", "tier")
    list_select_related = ("policy",)
    ordering = ("-policy__number", "kind", "stage", "tier")


@admin.register(StageRecord, site=console)
class StageRecordAdmin(RecordAdmin):
    list_display = ("version", "stage", "account", "status", "audit_user", "audit_at")
    list_filter = ("stage", "status", "account")
    list_select_related = ("version__group", "account")
    search_fields = ("version__arn", "audit_user")
    date_hierarchy = "audit_at"
    ordering = ("-audit_at",)


@admin.register(UseCaseStageRecord, site=console)
class UseCaseStageRecordAdmin(RecordAdmin):
    list_display = ("use_case", "stage", "status", "audit_user", "audit_at")
    list_filter = ("stage", "status")
    list_select_related = ("use_case",)
    search_fields = ("use_case__name", "=use_case__number", "audit_user")
    date_hierarchy = "audit_at"
    ordering = ("-audit_at",)


@admin.register(StageEvent, site=console)
class StageEventAdmin(RecordAdmin):
    list_display = ("at", "kind", "use_case", "version", "verb", "stage", "from_status", "status", "actor")
    list_filter = ("kind", "verb", "stage", "status")
    list_select_related = _ABOUT
    search_fields = ("actor", "=correlation", "version__arn", "use_case__name")
    date_hierarchy = "at"
    ordering = ("-pk",)


@admin.register(MetricReport, site=console)
class MetricReportAdmin(RecordAdmin):
    list_display = ("record", "kind", "source", "captured_at", "reported_by", "reported_at")
    list_filter = ("kind", "record__stage")
    list_select_related = ("record__version__group",)
    search_fields = ("record__version__arn", "source", "reported_by")
    date_hierarchy = "captured_at"
    ordering = ("-captured_at",)


@admin.register(Finding, site=console)
class FindingAdmin(RecordAdmin):
    list_display = ("public_id", "kind", "severity", "state", "summary", "owner", "due_on", "last_seen_at")
    list_filter = ("state", "severity", "kind")
    list_select_related = ("owner",)
    search_fields = ("=pk", "summary", "subject_key")
    date_hierarchy = "first_seen_at"
    ordering = ("-pk",)

    def object_links(self, row: Finding) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:finding", args=[row.pk]))]


@admin.register(OutboxMessage, site=console)
class OutboxMessageAdmin(RecordAdmin):
    list_display = ("pk", "kind", "state", "lane", "summary", "attempts", "next_attempt_at", "delivered_at")
    list_filter = ("state", "kind", "in_doubt")
    search_fields = ("=pk", "=lane", "summary", "ordering_key", "last_error", "waiting_for", "version__arn")
    date_hierarchy = "created_at"
    ordering = ("-pk",)

    def object_links(self, row: OutboxMessage) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:outbox_message", args=[row.pk]))]


@admin.register(Webhook, site=console)
class WebhookAdmin(RecordAdmin):
    """Who is told of events; webhooks are set up, tried and removed on their page in the portal."""

    hidden = ("secret", "former_secret")
    list_display = ("name", "project", "state", "url", "failures", "failing_since", "disabled_reason")
    list_filter = ("state", "ended_by")
    list_select_related = ("project",)
    search_fields = ("name", "url")
    ordering = ("name", "pk")

    def object_links(self, row: Webhook) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:webhook", args=[row.pk]))]


@admin.register(WebhookEvent, site=console)
class WebhookEventAdmin(RecordAdmin):
    """Changes that were written down and are not spread to webhooks yet; one with a problem is tried again."""

    list_display = ("pk", "table", "row_id", "actor", "happened_at", "attempts", "problem")
    list_filter = ("table",)
    ordering = ("pk",)


@admin.register(WebhookDelivery, site=console)
class WebhookDeliveryAdmin(RecordAdmin):
    list_display = ("pk", "webhook", "type", "subject_name", "state", "attempts", "next_attempt_at", "ended_at")
    list_filter = ("state", "type")
    list_select_related = ("webhook",)
    search_fields = ("=pk", "=message_id", "subject_name", "last_error")
    date_hierarchy = "created_at"
    ordering = ("-pk",)

    def object_links(self, row: WebhookDelivery) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:webhook_delivery", args=[row.webhook_id, row.pk]))]


@admin.register(WebhookAttempt, site=console)
class WebhookAttemptAdmin(RecordAdmin):
    list_display = ("pk", "delivery", "number", "started_at", "duration_ms", "http_status", "error")
    list_select_related = ("delivery",)
    ordering = ("-pk",)


@admin.register(DeploymentChannel, site=console)
class DeploymentChannelAdmin(RecordAdmin):
    """How orders leave; channels are set, tried and removed on their page in the portal."""

    hidden = ("secret", "former_secret")
    list_display = ("account", "stage", "kind", "is_enabled", "last_used_at", "last_error")
    list_filter = ("kind", "stage", "is_enabled")
    list_select_related = ("account",)
    search_fields = ("account__alias", "account__account_id", "pipeline", "url")
    ordering = ("account", "stage")

    def object_links(self, row: DeploymentChannel) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:channel_edit", args=[row.pk]))]


@admin.register(DeploymentOrder, site=console)
class DeploymentOrderAdmin(RecordAdmin):
    list_display = ("ordered_at", "action", "deployment", "kind", "reference", "carried_at", "note")
    list_filter = ("action", "kind")
    list_select_related = ("deployment__version__group", "deployment__account")
    search_fields = ("deployment__version__arn", "reference")
    date_hierarchy = "ordered_at"
    ordering = ("-pk",)


@admin.register(WaitingCallback, site=console)
class WaitingCallbackAdmin(RecordAdmin):
    hidden = ("token", "token_digest")
    list_display = ("received_at", "model_package_arn", "stage", "account", "source", "outcome", "answered_at")
    list_filter = ("outcome", "source", "stage")
    list_select_related = ("account", "home", "version__group")
    search_fields = ("model_package_arn", "execution_arn")
    date_hierarchy = "received_at"
    ordering = ("-pk",)

    def object_links(self, row: WaitingCallback) -> list[tuple[str, str]]:
        return [("Waiting pipelines", reverse("governance:callback_list"))]


@admin.register(SigningKey, site=console)
class SigningKeyAdmin(RecordAdmin):
    """The public halves; keys are rotated and revoked on their page in the portal."""

    hidden = ("private_key",)
    list_display = ("kid", "algorithm", "state", "created_at", "retired_at", "revoked_at", "revocation_reason")
    list_filter = ("state", "algorithm")
    search_fields = ("=kid", "revocation_reason")
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(LifecycleEdge, site=console)
class LifecycleEdgeAdmin(RecordAdmin):
    list_display = ("machine", "verb", "source", "target")
    list_filter = ("machine", "verb")
    search_fields = ("source", "target")
    ordering = ("machine", "verb", "source", "target")
