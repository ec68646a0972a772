"""Addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from portal.core import public_ids

from . import (
    approvals,
    audit,
    evidence,
    exceptions,
    findings,
    gate,
    lifecycle,
    operations,
    panels,
    record_attributes,
    reports,
    signing_keys,
    stage_table,
)

public_ids.register()

app_name = "governance"
urlpatterns = [
    path("approvals/", approvals.Queue.as_view(), name="queue"),
    path("approvals/<request:pk>/", approvals.RequestPage.as_view(), name="request"),
    path("approvals/<request:pk>/withdraw/", approvals.Withdraw.as_view(), name="request_withdraw"),
    path("use-cases/register/", lifecycle.UseCaseRegister.as_view(), name="use_case_register"),
    path("use-cases/<use_case:number>/governance/", panels.Panel.as_view(), name="use_case_panel"),
    path("use-cases/<use_case:number>/activity/", panels.Activity.as_view(), name="use_case_activity"),
    path("use-cases/<use_case:number>/submit/", lifecycle.Submit.as_view(), name="use_case_submit"),
    path("use-cases/<use_case:number>/retire/", lifecycle.Retire.as_view(), name="use_case_retire"),
    path("use-cases/<use_case:number>/evidence/", evidence.EvidenceCard.as_view(), name="use_case_evidence"),
    path("use-cases/<use_case:number>/evidence/attach/", evidence.Attach.as_view(), name="use_case_attach"),
    path("model-groups/<row:pk>/governance/", panels.GroupPanel.as_view(), name="group_panel"),
    path("model-versions/<row:pk>/governance/", panels.Panel.as_view(), name="version_panel"),
    path("model-versions/<row:pk>/activity/", panels.Activity.as_view(), name="version_activity"),
    path("model-versions/<row:pk>/submit/", lifecycle.Submit.as_view(), name="version_submit"),
    path("model-versions/<row:pk>/retire/", lifecycle.Retire.as_view(), name="version_retire"),
    path("model-versions/<row:pk>/evidence/", evidence.EvidenceCard.as_view(), name="version_evidence"),
    path("model-versions/<row:pk>/evidence/attach/", evidence.Attach.as_view(), name="version_attach"),
    path("evidence/", evidence.EvidenceList.as_view(), name="evidence_list"),
    path("evidence/<evidence:pk>/", evidence.EvidencePage.as_view(), name="evidence"),
    path("evidence/<evidence:pk>/content/", evidence.Content.as_view(), name="evidence_content"),
    path("evidence/<evidence:pk>/check/", evidence.Check.as_view(), name="evidence_check"),
    path("evidence/<evidence:pk>/withdraw/", evidence.Withdraw.as_view(), name="evidence_withdraw"),
    path("deployments/<row:pk>/report/", reports.DeploymentReport.as_view(), name="deployment_report"),
    path("stage-records/<row:pk>/validation-metrics/", reports.MetricsReport.as_view(), name="metrics_report"),
    path("stage-records/<row:pk>/attributes/", record_attributes.RecordAttributes.as_view(), name="record_attributes"),
    path("stage-table/", stage_table.StageTablePage.as_view(), name="stage_table"),
    path("stage-table/export.csv", stage_table.StageTableFile.as_view(), name="stage_table_file"),
    path("accounts/<account:account_id>/sync/", operations.AccountSync.as_view(), name="account_sync"),
    path("outbox/", operations.OutboxList.as_view(), name="outbox"),
    path("outbox/<row:pk>/retry/", operations.OutboxRetry.as_view(), name="outbox_retry"),
    path("findings/", findings.FindingList.as_view(), name="finding_list"),
    path("findings/export.csv", findings.FindingFile.as_view(), name="finding_file"),
    path("findings/<finding:pk>/", findings.FindingPage.as_view(), name="finding"),
    path("findings/<finding:pk>/acknowledge/", findings.FindingAcknowledge.as_view(), name="finding_acknowledge"),
    path("findings/<finding:pk>/accept/", findings.FindingAccept.as_view(), name="finding_accept"),
    path("findings/<finding:pk>/assign/", findings.FindingAssign.as_view(), name="finding_assign"),
    path("findings/<finding:pk>/due/", findings.FindingDue.as_view(), name="finding_due"),
    path("findings/<finding:pk>/reopen/", findings.FindingReopen.as_view(), name="finding_reopen"),
    path("exceptions/", exceptions.OverrideList.as_view(), name="override_list"),
    path("exceptions/<override:pk>/revoke/", exceptions.OverrideRevoke.as_view(), name="override_revoke"),
    path("delegations/", exceptions.DelegationList.as_view(), name="delegation_list"),
    path("delegations/new/", exceptions.DelegationNew.as_view(), name="delegation_new"),
    path("delegations/<row:pk>/revoke/", exceptions.DelegationRevoke.as_view(), name="delegation_revoke"),
    path("use-cases/<use_case:number>/break-glass/", exceptions.BreakGlass.as_view(), name="use_case_break_glass"),
    path("model-versions/<row:pk>/break-glass/", exceptions.BreakGlass.as_view(), name="version_break_glass"),
    path("model-versions/<row:pk>/rollback/", exceptions.Rollback.as_view(), name="version_rollback"),
    path("gate/", gate.GatePage.as_view(), name="gate"),
    path("signing-keys/", signing_keys.SigningKeys.as_view(), name="signing_keys"),
    path("signing-keys/rotate/", signing_keys.SigningKeyRotate.as_view(), name="signing_key_rotate"),
    path("signing-keys/<str:kid>/revoke/", signing_keys.SigningKeyRevoke.as_view(), name="signing_key_revoke"),
    path("audit-trail/", audit.AuditTrail.as_view(), name="audit_trail"),
]
