"""Governance's part of version 1: prefix, viewset, base name."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from .approvals import Approvals
from .audit import AuditAnchors, AuditChecks, AuditEvents
from .audit_packs import AuditPacks
from .channels import Callbacks, Channels
from .decisions import Decisions
from .delegations import Delegations
from .deployments import Deployments
from .endpoints import Endpoints
from .evidence import EvidenceList
from .findings import Findings
from .model_cards import ModelCardEdits, ModelCards
from .notifications import Notifications
from .operations import Accounts, Outbox
from .overrides import Overrides
from .parked_events import ParkedEvents
from .policies import Policies
from .production import InProduction
from .registrations import GroupCreations, ModelGroups, Registrations
from .reviews import Reviews
from .served import ModelDashboard, ObservedEndpoints
from .service_accounts import ServiceAccounts
from .shares import Shares
from .signing_keys import SigningKeys
from .stage_records import StageRecords
from .tokens import AccountTokens, Tokens
from .use_cases import UseCases
from .versions import ModelVersions
from .webhooks import WebhookDeliveries, Webhooks

ROUTES: list[tuple[str, type[ViewSetMixin], str]] = [
    ("use-cases", UseCases, "use-case"),
    ("model-versions", ModelVersions, "model-version"),
    ("model-groups", ModelGroups, "model-group"),
    ("model-cards", ModelCards, "model-card"),
    ("model-card-edits", ModelCardEdits, "model-card-edit"),
    ("registrations", Registrations, "registration"),
    ("group-creations", GroupCreations, "group-creation"),
    ("stage-records/in-production", InProduction, "in-production"),
    ("stage-records", StageRecords, "stage-record"),
    ("reviews", Reviews, "review"),
    ("approvals", Approvals, "approval"),
    ("decisions", Decisions, "decision"),
    ("delegations", Delegations, "delegation"),
    ("overrides", Overrides, "override"),
    ("deployments/callbacks", Callbacks, "callback"),
    ("deployments", Deployments, "deployment"),
    ("endpoints", Endpoints, "endpoint"),
    ("observed-endpoints", ObservedEndpoints, "observed-endpoint"),
    ("model-dashboard", ModelDashboard, "model-dashboard"),
    ("accounts/(?P<id>[0-9]{12})/channels", Channels, "channel"),
    ("accounts", Accounts, "account"),
    ("outbox", Outbox, "outbox"),
    ("parked-events", ParkedEvents, "parked-event"),
    ("evidence", EvidenceList, "evidence"),
    ("findings", Findings, "finding"),
    ("shares", Shares, "share"),
    ("policies", Policies, "policy"),
    ("notifications", Notifications, "notification"),
    ("gate/signing-keys", SigningKeys, "signing-key"),
    ("audit-packs", AuditPacks, "audit-pack"),
    ("webhooks/(?P<id>[0-9]{1,18})/deliveries", WebhookDeliveries, "webhook-delivery"),
    ("webhooks", Webhooks, "webhook"),
    ("audit-events", AuditEvents, "audit-event"),
    ("audit-anchors", AuditAnchors, "audit-anchor"),
    ("audit-checks", AuditChecks, "audit-check"),
    ("tokens", Tokens, "token"),
    ("service-accounts/(?P<id>[0-9]{1,18})/tokens", AccountTokens, "service-account-token"),
    ("service-accounts", ServiceAccounts, "service-account"),
]
