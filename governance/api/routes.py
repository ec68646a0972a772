"""Governance's part of version 1: prefix, viewset, base name."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from .approvals import Approvals
from .audit import AuditAnchors, AuditChecks, AuditEvents
from .channels import Callbacks, Channels
from .delegations import Delegations
from .deployments import Deployments
from .evidence import EvidenceList
from .findings import Findings
from .operations import Accounts, Outbox
from .overrides import Overrides
from .parked_events import ParkedEvents
from .policies import Policies
from .production import InProduction
from .registrations import GroupCreations, ModelGroups, Registrations
from .shares import Shares
from .stage_records import StageRecords
from .use_cases import UseCases
from .versions import ModelVersions

ROUTES: list[tuple[str, type[ViewSetMixin], str]] = [
    ("use-cases", UseCases, "use-case"),
    ("model-versions", ModelVersions, "model-version"),
    ("model-groups", ModelGroups, "model-group"),
    ("registrations", Registrations, "registration"),
    ("group-creations", GroupCreations, "group-creation"),
    ("stage-records/in-production", InProduction, "in-production"),
    ("stage-records", StageRecords, "stage-record"),
    ("approvals", Approvals, "approval"),
    ("delegations", Delegations, "delegation"),
    ("overrides", Overrides, "override"),
    ("deployments/callbacks", Callbacks, "callback"),
    ("deployments", Deployments, "deployment"),
    ("accounts/(?P<id>[0-9]{12})/channels", Channels, "channel"),
    ("accounts", Accounts, "account"),
    ("outbox", Outbox, "outbox"),
    ("parked-events", ParkedEvents, "parked-event"),
    ("evidence", EvidenceList, "evidence"),
    ("findings", Findings, "finding"),
    ("shares", Shares, "share"),
    ("policies", Policies, "policy"),
    ("audit-events", AuditEvents, "audit-event"),
    ("audit-anchors", AuditAnchors, "audit-anchor"),
    ("audit-checks", AuditChecks, "audit-check"),
]
