"""Governed fields as somebody would put them into a form, a body or a task's arguments that did not ask for them."""

from __future__ import annotations

# Whatever the surface makes of them, they must not reach a row: each moves by a verb of the lifecycle, by a decision or
# not at all. `stage`, `state` and `status` are left out where a form asks for one of that name itself.
SMUGGLED: dict[str, str] = {
    "stage": "production",
    "status": "approved",
    "state": "approved",
    "risk_class": "minimal",
    "risk_rating": "low",
    "registered_by": "1",
    "registered_by_id": "1",
    "requester_id": "1",
    "registrant_id": "1",
    "modifier_id": "1",
    "modified_by_id": "1",
    "position_stage": "production",
    "position_status": "approved",
    "approved_digest": "v1:0",
    "outdated_at": "",
    "digest": "v1:0",
    "requirements": "{}",
    "waiting_roles": "",
    "tier": "low",
    "policy_id": "1",
    "decider_id": "1",
    "on_behalf_of_id": "1",
    "verdict": "approve",
    "is_superuser": "true",
    "audit_user": "somebody",
    "number": "9999",
}

# What is governed, row by row, without what time and sequences make of it.
GOVERNED = (
    "SELECT id, stage, status, risk_class, registered_by_id, number FROM registry_usecase ORDER BY id",
    (
        "SELECT id, stage, status, risk_rating, registered_by_id, modified_by_id, number FROM registry_modelversion"
        " ORDER BY id"
    ),
    (
        "SELECT version_id, stage, account_id, status, approved_digest, outdated_at IS NULL FROM governance_stagerecord"
        " ORDER BY version_id, stage, account_id"
    ),
    (
        "SELECT use_case_id, stage, status, approved_digest, outdated_at IS NULL FROM governance_usecasestagerecord"
        " ORDER BY use_case_id, stage"
    ),
    (
        "SELECT kind, use_case_id, version_id, stage, state, requester_id, registrant_id, modifier_id, digest, requirements,"
        " waiting_roles, tier, policy_id FROM governance_approvalrequest ORDER BY use_case_id, version_id, stage, state"
    ),
    "SELECT decider_id, on_behalf_of_id, verdict, role, source FROM governance_decision ORDER BY decider_id, request_id",
    "SELECT verb, stage, status, position_stage, position_status, actor FROM governance_stageevent ORDER BY id",
    "SELECT version_id, stage, account_id, state, mode FROM registry_deployment ORDER BY version_id, stage, account_id",
    "SELECT kind, state, owner_id, due_on, accepted_until FROM governance_finding ORDER BY kind, subject_key, id",
    "SELECT number, state, model_path, use_case_path FROM governance_policyversion ORDER BY number",
    "SELECT username, is_superuser, is_staff, is_active FROM registry_user ORDER BY username",
)
