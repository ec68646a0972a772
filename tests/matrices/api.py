"""URL x role x status of the REST API, by hand: what the permission table and the services must add up to.

The columns are anonymous, data scientist, model owner, ML engineer, governance officer, ML admin, auditor, and a
stranger who holds every deciding and working role on another project. `on` names what of the world the id stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

COLUMNS = (
    "anonymous",
    "data_scientist",
    "model_owner",
    "ml_engineer",
    "governance_officer",
    "ml_admin",
    "auditor",
    "stranger",
)


@dataclass(frozen=True)
class Row:
    """One route and method with what each role is answered."""

    method: str
    route: str
    statuses: tuple[int, ...]
    on: str = ""
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


EVERYBODY = (401, 200, 200, 200, 200, 200, 200, 200)
OF_THE_PROJECT = (401, 200, 200, 200, 200, 200, 200, 404)
OPERATORS = (401, 403, 403, 200, 200, 200, 200, 200)
OF_AN_ACCOUNT = (401, 404, 404, 200, 200, 200, 200, 200)
TRAIL = (401, 403, 403, 403, 200, 200, 200, 200)
SHARERS = (401, 403, 403, 200, 403, 200, 403, 404)
SHARING = (401, 403, 403, 202, 403, 202, 403, 404)
CURRENT = {"If-Match": "*"}
# Drafts of policies are read by officers, ML admins and auditors of any project.
DRAFTED = (401, 404, 404, 404, 403, 200, 403, 403)
TODAY = datetime.now(UTC).date().isoformat()
OVERRIDDEN = {
    "stage": "production",
    "reason": "It is late.",
    "expires_at": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
}

ROWS: tuple[Row, ...] = (
    Row("GET", "", EVERYBODY),
    Row("GET", "me/", EVERYBODY),
    Row("GET", "schema/", EVERYBODY),
    Row("GET", "docs/", EVERYBODY),
    Row("POST", "auth/token/", (401,) * 8, body={"username": "nobody", "password": "wrong"}),
    Row("POST", "auth/logout/", (401, 204, 204, 204, 204, 204, 204, 204)),
    # use cases
    Row("GET", "use-cases/", EVERYBODY),
    Row(
        "POST",
        "use-cases/",
        (401, 201, 201, 403, 403, 403, 403, 400),
        body={"name": "New", "intended_purpose": "Rank.", "project": "here"},
    ),
    Row("GET", "use-cases/{id}/", OF_THE_PROJECT, on="draft"),
    Row(
        "PATCH",
        "use-cases/{id}/",
        (401, 200, 200, 403, 200, 403, 403, 404),
        on="draft",
        body={"description": "Clearer."},
        headers=CURRENT,
    ),
    Row("POST", "use-cases/{id}/submit/", (401, 201, 201, 201, 403, 403, 403, 404), on="draft", body={"note": "Look."}),
    Row(
        "POST",
        "use-cases/{id}/retire/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="draft",
        body={"reason": "No longer needed."},
    ),
    Row(
        "PUT",
        "use-cases/{id}/classification/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="draft",
        body={"risk_class": "high", "reason": "Decides on credit."},
    ),
    Row("GET", "use-cases/{id}/classification/", OF_THE_PROJECT, on="draft"),
    # ... by answers; an officer's own are confirmed at once
    Row(
        "PUT",
        "use-cases/{id}/classification/",
        (401, 200, 200, 403, 200, 403, 403, 404),
        on="draft",
        body={"answers": {"ai_system": "no"}, "edition": "2026-1744", "reason": "Rules only.", "derogation_reason": ""},
    ),
    # the data scientist has answered for the draft
    Row(
        "POST",
        "use-cases/{id}/classification/confirm/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="draft",
        body={"risk_class": "limited", "reason": "It writes to people."},
    ),
    Row(
        "POST",
        "use-cases/{id}/classification/decline/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="draft",
        body={"reason": "It learns."},
    ),
    Row("GET", "ai-act/editions/", EVERYBODY),
    Row("GET", "ai-act/editions/{id}/questionnaire/", EVERYBODY, on="edition"),
    Row("GET", "ai-act/rerun/", EVERYBODY),
    Row(
        "PUT",
        "use-cases/{id}/documents/",
        (401, 200, 200, 403, 200, 403, 403, 404),
        on="draft",
        body={"human_oversight": "Analysts."},
    ),
    Row("GET", "use-cases/{id}/timeline/", OF_THE_PROJECT, on="draft"),
    # model groups
    Row("GET", "model-groups/", EVERYBODY),
    Row("GET", "model-groups/{id}/", OF_THE_PROJECT, on="group"),
    Row(
        "PATCH",
        "model-groups/{id}/",
        (401, 403, 200, 200, 403, 200, 403, 404),
        on="group",
        body={"owner": None},
        headers=CURRENT,
    ),
    Row(
        "POST",
        "model-groups/",
        (401, 403, 403, 202, 403, 202, 403, 400),
        body={
            "name": "another",
            "project": "here",
            "account": "111111111111",
            "tags": {"cost-centre": "4711"},
            "policy": "",
        },
    ),
    Row("GET", "group-creations/", EVERYBODY),
    Row("GET", "group-creations/{id}/", OF_THE_PROJECT, on="creation"),
    Row("GET", "registrations/", EVERYBODY),
    Row("GET", "registrations/{id}/", OF_THE_PROJECT, on="registration"),
    # model versions
    Row("GET", "model-versions/", EVERYBODY),
    Row(
        "POST",
        "model-versions/",
        (401, 202, 202, 202, 403, 403, 403, 400),
        body={
            "group": "models",
            "containers": [{"image": "image:1", "model_data_url": "s3://bucket/model.tar.gz"}],
            "content_types": ["text/csv"],
            "response_types": ["text/csv"],
            "metadata": {"validation_auc": "0.78"},
            "card": {"intended_uses": {"risk_rating": "Low"}},
            "metric_sources": {},
            "reference": "run-7",
        },
    ),
    Row("GET", "model-versions/{id}/", OF_THE_PROJECT, on="fresh"),
    Row("POST", "model-versions/{id}/submit/", (401, 201, 201, 201, 403, 403, 403, 404), on="fresh", body={}),
    Row(
        "POST",
        "model-versions/{id}/retire/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="fresh",
        body={"reason": "Replaced."},
    ),
    Row("GET", "model-versions/{id}/requirements/", OF_THE_PROJECT, on="fresh"),
    Row("GET", "use-cases/{id}/requirements/", OF_THE_PROJECT, on="draft"),
    Row("GET", "model-versions/{id}/timeline/", OF_THE_PROJECT, on="fresh"),
    # custom attributes: everybody reads them, ML admins define them
    Row("GET", "custom-attributes/", EVERYBODY),
    Row("GET", "custom-attributes/{id}/", EVERYBODY, on="attribute"),
    Row(
        "POST",
        "custom-attributes/",
        (401, 403, 403, 403, 403, 201, 403, 403),
        body={"kind": "use_case", "key": "sponsor", "label": "Sponsor", "type": "user"},
    ),
    Row(
        "PATCH",
        "custom-attributes/{id}/",
        (401, 403, 403, 403, 403, 200, 403, 403),
        on="attribute",
        body={"label": "Cost"},
        headers=CURRENT,
    ),
    Row("DELETE", "custom-attributes/{id}/", (401, 403, 403, 403, 403, 204, 403, 403), on="attribute"),
    Row("POST", "custom-attributes/{id}/archive/", (401, 403, 403, 403, 403, 200, 403, 403), on="attribute"),
    Row("POST", "custom-attributes/{id}/restore/", (401, 403, 403, 403, 403, 409, 403, 403), on="attribute"),
    # the stage table
    Row("GET", "stage-records/", EVERYBODY),
    Row("GET", "stage-records/in-production/", EVERYBODY),
    Row("GET", "stage-records/replay/", TRAIL),
    Row("GET", "stage-records/{id}/", OF_THE_PROJECT, on="trial_record"),
    Row(
        "PATCH",
        "stage-records/{id}/",
        (401, 200, 200, 403, 200, 403, 403, 404),
        on="trial_record",
        body={"attributes": {}},
        headers=CURRENT,
    ),
    Row(
        "POST",
        "stage-records/{id}/validation-metrics/",
        (401, 201, 403, 201, 403, 403, 403, 404),
        on="trial_record",
        body={"metrics": {"auc": 0.8}},
    ),
    Row(
        "POST",
        "stage-records/{id}/monitoring-metrics/",
        (401, 201, 403, 201, 403, 403, 403, 404),
        on="trial_record",
        body={"metrics": {"drift": 0.1}, "endpoint": "e"},
    ),
    # approvals: the use case waits for a model owner, and the data scientist has asked
    Row("GET", "approvals/", EVERYBODY),
    Row("GET", "approvals/{id}/", OF_THE_PROJECT, on="use_case_request"),
    Row(
        "POST",
        "approvals/{id}/decisions/",
        (401, 403, 201, 403, 403, 403, 403, 404),
        on="use_case_request",
        body={"decision": "approve"},
    ),
    # ... the version for two officers
    Row(
        "POST",
        "approvals/{id}/decisions/",
        (401, 403, 403, 403, 201, 403, 403, 404),
        on="version_request",
        body={"decision": "reject", "comment": "Not yet.", "back_to": "development"},
    ),
    Row("POST", "approvals/{id}/withdraw/", (401, 200, 403, 403, 403, 403, 403, 404), on="use_case_request", body={}),
    # deployments
    Row("GET", "deployments/", EVERYBODY),
    Row("GET", "deployments/{id}/", OF_THE_PROJECT, on="deployment"),
    Row(
        "POST",
        "deployments/{id}/status/",
        (401, 403, 403, 200, 403, 403, 403, 404),
        on="deployment",
        body={"status": "deployed", "endpoint": "e"},
    ),
    # pipelines that wait to be told whether they may deploy: whoever reports deployments says so
    Row("GET", "deployments/callbacks/", EVERYBODY),
    Row(
        "POST",
        "deployments/callbacks/",
        (401, 403, 403, 201, 403, 403, 403, 404),
        body={
            "model_package_arn": "arn:aws:sagemaker:us-east-1:111111111111:model-package/models/2",
            "stage": "pre_production",
            "account": "333333333333",
            "callback_token": "AbCdEf1234",
        },
    ),
    # how orders for an account leave; the world's one channel waits for pipelines to ask, and signs nothing
    Row("GET", "accounts/{id}/channels/", OF_AN_ACCOUNT, on="account"),
    Row(
        "POST",
        "accounts/{id}/channels/",
        (401, 404, 404, 403, 403, 201, 403, 403),
        on="account",
        body={"stage": "qa", "kind": "pipeline", "pipeline": "p", "parameters": {"Arn": "model_package_arn"}},
    ),
    Row("GET", "accounts/{id}/channels/{channel}/", OF_AN_ACCOUNT, on="account"),
    Row(
        "PATCH",
        "accounts/{id}/channels/{channel}/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="account",
        body={"is_enabled": False},
        headers=CURRENT,
    ),
    Row("DELETE", "accounts/{id}/channels/{channel}/", (401, 404, 404, 403, 403, 204, 403, 403), on="account"),
    Row(
        "POST",
        "accounts/{id}/channels/{channel}/rotate-secret/",
        (401, 404, 404, 403, 403, 409, 403, 403),
        on="account",
        body={"grace_hours": 1},
    ),
    Row("POST", "accounts/{id}/channels/{channel}/try/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    # accounts: operated and overseen by people of any project
    Row("GET", "accounts/", OPERATORS),
    Row(
        "POST",
        "accounts/",
        (401, 403, 403, 403, 403, 201, 403, 403),
        body={"account_id": "555555555555", "alias": "new", "purposes": ["qa"]},
    ),
    Row("GET", "accounts/{id}/", (401, 404, 404, 200, 200, 200, 200, 200), on="account"),
    Row("PATCH", "accounts/{id}/", (401, 404, 404, 403, 403, 200, 403, 403), on="account", body={"alias": "renamed"}),
    Row("POST", "accounts/{id}/test/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    Row("POST", "accounts/{id}/preflight/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    Row("GET", "accounts/{id}/outbox/", OF_AN_ACCOUNT, on="account"),
    Row("POST", "accounts/{id}/sync/", (401, 404, 404, 202, 403, 202, 403, 202), on="account"),
    Row("GET", "sync-runs/", OPERATORS),
    Row("POST", "accounts/{id}/redrive-events/", (401, 404, 404, 403, 403, 409, 403, 403), on="account"),
    Row("GET", "parked-events/", OPERATORS),
    Row("GET", "parked-events/{id}/", (401, 404, 404, 200, 200, 200, 200, 200), on="parked_event"),
    Row("POST", "parked-events/{id}/replay/", (401, 404, 404, 403, 403, 200, 403, 403), on="parked_event"),
    Row(
        "POST",
        "parked-events/{id}/dismiss/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="parked_event",
        body={"reason": "A test message."},
    ),
    Row("GET", "outbox/", EVERYBODY),
    Row(
        "POST",
        "outbox/retry-failed/",
        (401, 403, 403, 200, 403, 200, 403, 200),
        body={"account": "333333333333"},
    ),
    Row("POST", "outbox/{id}/retry/", (401, 403, 403, 200, 403, 200, 403, 404), on="message"),
    # shares: the engineer has declared one; nothing is made in RAM yet
    Row("GET", "shares/", EVERYBODY),
    Row("GET", "resource-shares/", EVERYBODY),
    Row("GET", "shares/{id}/", OF_THE_PROJECT, on="share"),
    Row("POST", "shares/", (401, 403, 403, 400, 403, 400, 403, 400), body={"name": "x", "groups": [999999999]}),
    Row("POST", "shares/preview/", (401, 403, 403, 400, 403, 400, 403, 400), body={"name": "x", "groups": [999999999]}),
    Row("PATCH", "shares/{id}/", SHARERS, on="share", body={"name": "better"}, headers=CURRENT),
    Row("DELETE", "shares/{id}/", SHARING, on="share"),
    Row("POST", "shares/{id}/accept/", (401, 403, 403, 409, 403, 409, 403, 404), on="share"),
    Row("POST", "shares/{id}/reinvite/", SHARING, on="share", body={"account": "222222222222"}),
    Row("POST", "shares/{id}/apply/", SHARING, on="share", body={"reason": "Changed by hand."}),
    # evidence: the data scientist has attached a report to the draft
    Row("GET", "evidence/", EVERYBODY),
    Row(
        "POST",
        "evidence/",
        (401, 400, 400, 400, 400, 403, 403, 404),
        body={"kind": "test_report", "use_case": "UC-0001", "s3_uri": "s3://nobody-owns-this/report.pdf"},
    ),
    Row("GET", "evidence/{id}/", OF_THE_PROJECT, on="evidence"),
    Row("GET", "evidence/{id}/content/", OF_THE_PROJECT, on="evidence"),
    Row(
        "POST",
        "evidence/{id}/withdraw/",
        (401, 200, 200, 200, 200, 403, 403, 404),
        on="evidence",
        body={"reason": "Another data set."},
    ),
    # exceptions: the model owner has delegated his role to another, the officer has overridden a rule of the draft
    Row("GET", "approvals/{id}/difference/", OF_THE_PROJECT, on="version_request"),
    Row("GET", "delegations/", EVERYBODY),
    Row("GET", "delegations/{id}/", (401, 404, 200, 404, 200, 200, 200, 404), on="delegation"),
    Row(
        "POST",
        "delegations/",
        (401, 403, 201, 403, 400, 400, 403, 400),
        body={
            "delegate": "stand.in",
            "role": "model_owner",
            "project": "here",
            "starts_on": TODAY,
            "ends_on": TODAY,
            "reason": "Away.",
        },
    ),
    Row("POST", "delegations/{id}/revoke/", (401, 404, 200, 404, 403, 200, 403, 404), on="delegation"),
    Row("GET", "overrides/", EVERYBODY),
    Row("GET", "overrides/{id}/", OF_THE_PROJECT, on="override"),
    Row("POST", "overrides/{id}/revoke/", (401, 403, 403, 403, 200, 403, 403, 404), on="override"),
    Row(
        "POST",
        "use-cases/{id}/break-glass/",
        (401, 403, 403, 403, 201, 403, 403, 404),
        on="draft",
        body={**OVERRIDDEN, "check": "evidence:transparency_explainability"},
    ),
    Row(
        "POST",
        "model-versions/{id}/break-glass/",
        (401, 403, 403, 403, 400, 403, 403, 404),
        on="fresh",
        body={**OVERRIDDEN, "check": "evidence:nonsense"},
    ),
    Row(
        "POST",
        "model-versions/{id}/rollback/",
        (401, 403, 403, 403, 409, 403, 403, 404),
        on="fresh",
        body={"stage": "production", "reason": "The later one fails."},
    ),
    # findings
    Row("GET", "findings/", EVERYBODY),
    Row("GET", "findings/{id}/", OF_THE_PROJECT, on="finding"),
    Row("POST", "findings/{id}/acknowledge/", (401, 403, 403, 403, 200, 403, 403, 404), on="finding"),
    Row(
        "POST",
        "findings/{id}/resolve/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="finding",
        body={"note": "Corrected."},
    ),
    # the gate: without a question there is no answer; its keys are for everybody
    Row("GET", "gate/", (401, 400, 400, 400, 400, 400, 400, 400)),
    Row("GET", "gate/keys/", (200,) * 8),
    Row("POST", "gate/keys/rotate/", (401, 403, 403, 403, 403, 201, 403, 403), body={"algorithm": "EdDSA"}),
    Row(
        "POST",
        "gate/keys/{id}/revoke/",
        (401, 403, 403, 403, 403, 200, 403, 403),
        on="signing_key",
        body={"reason": "It leaked."},
    ),
    Row(
        "POST",
        "findings/{id}/accept/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="finding",
        body={"reason": "Known.", "until": str(datetime.now(UTC).date() + timedelta(days=1))},
    ),
    Row("POST", "findings/{id}/assign/", (401, 403, 403, 403, 200, 403, 403, 404), on="finding", body={"owner": None}),
    Row("POST", "findings/{id}/due/", (401, 403, 403, 403, 200, 403, 403, 404), on="finding", body={"due_on": None}),
    Row(
        "POST",
        "findings/{id}/reopen/",
        (401, 403, 403, 403, 200, 403, 403, 404),
        on="accepted_finding",
        body={"reason": "It did not hold."},
    ),
    Row("GET", "policies/", EVERYBODY),
    Row("GET", "policies/{id}/", EVERYBODY, on="policy"),
    Row("GET", "policies/{id}/", (401, 404, 404, 404, 200, 200, 200, 200), on="policy_draft"),
    Row("GET", "policies/{id}/changes/", EVERYBODY, on="policy"),
    Row("GET", "policies/{id}/preview/", EVERYBODY, on="policy"),
    Row("GET", "policies/{id}/preview/", (401, 404, 404, 404, 200, 200, 200, 200), on="policy_draft"),
    Row("POST", "policies/", (401, 403, 403, 403, 403, 201, 403, 403), body={"note": "Stricter."}),
    Row("PATCH", "policies/{id}/", DRAFTED, on="policy_draft", body={"note": "Stricter."}, headers=CURRENT),
    Row(
        "PUT",
        "policies/{id}/rules/",
        DRAFTED,
        on="policy_draft",
        body={
            "kind": "model_version",
            "stage": "qa",
            "tier": "low",
            "approvals": [{"role": "governance_officer", "count": 2}],
            "days_until_due": 3,
            "days_until_expiry": 9,
        },
        headers=CURRENT,
    ),
    Row("POST", "policies/{id}/publish/", DRAFTED, on="policy_draft", headers=CURRENT),
    Row("DELETE", "policies/{id}/", (401, 404, 404, 404, 403, 204, 403, 403), on="policy_draft", headers=CURRENT),
    Row("GET", "audit-events/", TRAIL),
    Row("GET", "audit-events/verify/", TRAIL),
    Row("GET", "audit-anchors/", TRAIL),
    Row("GET", "audit-anchors/{id}/", TRAIL, on="anchor"),
    Row("GET", "audit-checks/", TRAIL),
    Row("GET", "audit-checks/{id}/", TRAIL, on="audit_check"),
    Row("POST", "audit-checks/", (401, 403, 403, 403, 202, 202, 202, 202), body={"scope": "all"}),
    Row("GET", "projects/", EVERYBODY),
)
