"""Who may do what: the one table of acts and roles. Services, pages, API, admin and tests all read it."""

from __future__ import annotations

from enum import StrEnum

from .actors import Actor
from .errors import Forbidden
from .vocabulary import Role

SCIENTIST, OWNER, ENGINEER = Role.DATA_SCIENTIST, Role.MODEL_OWNER, Role.ML_ENGINEER
OFFICER, ADMIN = Role.GOVERNANCE_OFFICER, Role.ML_ADMIN


class Act(StrEnum):
    """An act of authority; the value completes the sentence "may not ..."."""

    REGISTER_USE_CASE = "register use cases"
    EDIT_USE_CASE = "edit this use case"
    ASSESS_USE_CASE = "answer the AI Act questionnaire"
    CLASSIFY_USE_CASE = "classify the risk of a use case"
    REVIEW_USE_CASE = "record a review of a use case"
    EDIT_GROUP = "edit model groups"
    CREATE_GROUP = "create model groups"
    REGISTER_VERSION = "register model versions"
    ATTACH_EVIDENCE = "attach or withdraw evidence"
    SUBMIT = "ask for approval"
    DECIDE = "decide on approval requests"
    WITHDRAW = "withdraw this request"
    RETIRE = "retire this"
    ROLLBACK = "roll back to this"
    BREAK_GLASS = "override a rule of the policy"
    DELEGATE = "delegate a deciding role"
    REPORT_DEPLOYMENT = "report deployments"
    REPORT_METRICS = "report metrics"
    MANAGE_ACCOUNTS = "manage AWS accounts"
    SYNC_ACCOUNTS = "start a sync"
    SHARE_GROUPS = "share model groups"
    SHARE_APPROVAL = "let another account approve or delete"
    RETRY_OUTBOX = "retry a write-back"
    HANDLE_EVENTS = "replay or dismiss registry events"
    SEE_OPERATIONS = "see the portal's operations"
    SEE_AUDIT = "see the audit trail"
    BUILD_PACK = "build or remove audit packs"
    HANDLE_FINDINGS = "handle findings"
    MANAGE_ACCESS = "manage people and roles"
    EDIT_POLICY = "change the policy matrix"
    PUBLISH_POLICY = "publish policies"
    MANAGE_ATTRIBUTES = "manage custom attributes"
    FILL_IN_RECORD = "fill in attributes of stage records"
    MANAGE_KEYS = "manage signing keys"
    SEE_WEBHOOKS = "see webhooks and what was sent to them"
    MANAGE_WEBHOOKS = "manage webhooks"
    OFFER_VIEW = "offer a view to everybody"
    ATTACH_RUN = "name the MLflow run of a version"
    MANAGE_TRACKING = "manage tracking servers"
    EDIT_CARD = "write model cards"
    APPROVE_CARD = "approve model cards"
    EXPORT_CARD = "have SageMaker export model cards"


ROLES: dict[Act, frozenset[Role]] = {
    Act.REGISTER_USE_CASE: frozenset({SCIENTIST, OWNER}),
    Act.EDIT_USE_CASE: frozenset({SCIENTIST, OWNER, OFFICER}),
    Act.ASSESS_USE_CASE: frozenset({SCIENTIST, OWNER, OFFICER}),
    Act.CLASSIFY_USE_CASE: frozenset({OFFICER}),
    Act.REVIEW_USE_CASE: frozenset({OFFICER}),
    Act.EDIT_GROUP: frozenset({ENGINEER, OWNER, ADMIN}),
    Act.CREATE_GROUP: frozenset({ENGINEER, ADMIN}),
    Act.REGISTER_VERSION: frozenset({SCIENTIST, OWNER, ENGINEER}),
    Act.ATTACH_EVIDENCE: frozenset({SCIENTIST, OWNER, ENGINEER, OFFICER}),
    Act.SUBMIT: frozenset({SCIENTIST, OWNER, ENGINEER}),
    # Which of them a request waits for is the policy's word.
    Act.DECIDE: frozenset({OWNER, OFFICER}),
    Act.WITHDRAW: frozenset({SCIENTIST, OWNER, ENGINEER}),
    Act.RETIRE: frozenset({OFFICER}),
    Act.ROLLBACK: frozenset({OFFICER}),
    Act.BREAK_GLASS: frozenset({OFFICER}),
    # One's own role; an ML admin arranges it for somebody who is away already.
    Act.DELEGATE: frozenset({OWNER, OFFICER, ADMIN}),
    Act.REPORT_DEPLOYMENT: frozenset({ENGINEER}),
    Act.REPORT_METRICS: frozenset({SCIENTIST, ENGINEER}),
    Act.MANAGE_ACCOUNTS: frozenset({ADMIN}),
    Act.SYNC_ACCOUNTS: frozenset({ADMIN, ENGINEER}),
    Act.SHARE_GROUPS: frozenset({ADMIN, ENGINEER}),
    # Only with a reason: a spoke must not be able to approve.
    Act.SHARE_APPROVAL: frozenset({ADMIN}),
    Act.RETRY_OUTBOX: frozenset({ADMIN, ENGINEER}),
    Act.HANDLE_EVENTS: frozenset({ADMIN}),
    Act.SEE_OPERATIONS: frozenset({ADMIN, ENGINEER, OFFICER, Role.AUDITOR}),
    Act.SEE_AUDIT: frozenset({Role.AUDITOR, ADMIN, OFFICER}),
    # A pack takes evidence out of the portal, and whoever decides or administers does not choose what is shown of it.
    # It changes nothing that is governed, so building one is no writing in the sense that is forbidden to an auditor.
    Act.BUILD_PACK: frozenset({Role.AUDITOR}),
    Act.HANDLE_FINDINGS: frozenset({OFFICER}),
    Act.MANAGE_ACCESS: frozenset({ADMIN}),
    # The matrix binds every project, so these take the role everywhere.
    Act.EDIT_POLICY: frozenset({ADMIN}),
    Act.PUBLISH_POLICY: frozenset({ADMIN}),
    Act.MANAGE_ATTRIBUTES: frozenset({ADMIN}),
    Act.FILL_IN_RECORD: frozenset({SCIENTIST, OWNER, OFFICER}),
    Act.MANAGE_KEYS: frozenset({ADMIN}),
    # What was sent names what is in the scope of the webhook, and its address may be as good as a password.
    Act.SEE_WEBHOOKS: frozenset({ADMIN, Role.AUDITOR}),
    Act.MANAGE_WEBHOOKS: frozenset({ADMIN}),
    # It stands above a list for everybody. Who works on a project offers views to it without asking.
    Act.OFFER_VIEW: frozenset({OFFICER, ADMIN}),
    # Whoever registers a version or asks for its approval says where it comes from.
    Act.ATTACH_RUN: frozenset({SCIENTIST, OWNER, ENGINEER}),
    # Its address and its secret serve every project, so this takes the role everywhere.
    Act.MANAGE_TRACKING: frozenset({ADMIN}),
    Act.EDIT_CARD: frozenset({SCIENTIST, OWNER}),
    # Nobody approves the card he wrote last, whatever his roles.
    Act.APPROVE_CARD: frozenset({OFFICER}),
    # It writes a file into a bucket; whoever only reads has the portal's own PDF.
    Act.EXPORT_CARD: frozenset({SCIENTIST, OWNER, ENGINEER, OFFICER}),
}

# What a service account may hold: no role that decides, and none that gives roles to somebody who does.
SERVICE_ROLES = frozenset(Role) - ROLES[Act.DECIDE] - ROLES[Act.MANAGE_ACCESS]


def may(actor: Actor, act: Act, project_id: int | None = None) -> bool:
    """Whether the actor's roles on the project (or everywhere, without one) include one the act asks for."""
    if actor.is_system:
        return act is not Act.DECIDE
    return bool(actor.roles_on(project_id) & ROLES[act])


def may_anywhere(actor: Actor, act: Act) -> bool:
    """Whether the actor may do this on at least one project (for menus and empty forms)."""
    return not actor.is_system and bool(actor.grants.anywhere & ROLES[act])


def require(actor: Actor, act: Act, project_id: int | None = None) -> None:
    """Raise Forbidden, naming the roles that may, unless `may` holds."""
    if not may(actor, act, project_id):
        raise Forbidden.for_act(act.value, [role.label for role in sorted(ROLES[act])])


def require_anywhere(actor: Actor, act: Act) -> None:
    """Raise Forbidden unless the actor may do this on at least one project (operations pages)."""
    if not actor.is_system and not may_anywhere(actor, act):
        raise Forbidden.for_act(act.value, [role.label for role in sorted(ROLES[act])])
