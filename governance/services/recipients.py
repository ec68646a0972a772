"""Whom an occasion concerns: those with a part in it, and those whose role makes it theirs to act.

Who may decide is asked of the same rule that the decision asks (`services.entitlement`). Whoever comes out of this is
told only when he may also see what it is about, and never of what he did himself: `services.telling` sees to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.utils import timezone

from portal.core.errors import Forbidden
from portal.core.permissions import ROLES, Act
from portal.core.vocabulary import NotificationKind, Role
from registry.models import Deployment, ModelVersion, UseCase, User
from registry.selectors.people import holding
from registry.selectors.service_accounts import answerable_for

from ..choices import RequestState
from ..models import ApprovalRequest, Delegation, Finding, Notification, Occasion, Webhook
from .entitlement import entitlement

People = dict[int, User]
DECIDING = ROLES[Act.DECIDE]
# The second step of an escalation: who administers roles can find somebody to stand in.
ADMINS = "admins"


def concerned(occasion: Occasion, row: Any) -> People:
    """Return the active people an occasion concerns, by their keys; `row` is what it is about."""
    if "to" in occasion.details:
        return _active(occasion.details["to"])
    return _BY_KIND[NotificationKind(occasion.kind)](occasion, row)


def deciders(request: ApprovalRequest, day: date | None = None) -> People:
    """Return everybody who could decide on an open request now: in a role that is missing, or for somebody else."""
    if request.state != RequestState.OPEN:
        return {}
    project_id = request.scope_project_id
    stand_ins = Delegation.objects.in_force(day or timezone.now().date()).values_list("delegate_id", flat=True)
    candidates = holding([Role(role) for role in request.waiting_roles], project_id)
    found = _by_key([*candidates, *_active(set(stand_ins)).values()])
    return {pk: person for pk, person in found.items() if _may_decide(person, request)}


def _may_decide(person: User, request: ApprovalRequest) -> bool:
    if any(person.pk in (word.decider_id, word.on_behalf_of_id) for word in request.decisions.all()):
        return False
    try:
        entitled = entitlement(person.actor, request, request.subject)
    except Forbidden:
        return False
    # In a role whose words are all there already, his would add nothing.
    return entitled.role in request.waiting_roles


def _waiting(occasion: Occasion, request: ApprovalRequest) -> People:
    return deciders(request)


def _overdue(occasion: Occasion, request: ApprovalRequest) -> People:
    if request.state != RequestState.OPEN:
        return {}
    return deciders(request) | _active([request.requester_id])


def _escalated(occasion: Occasion, request: ApprovalRequest) -> People:
    """First those with a deciding role there who are not waited for themselves, then those who arrange for others."""
    if request.state != RequestState.OPEN:
        return {}
    project_id = request.scope_project_id
    if occasion.details.get("step") == ADMINS:
        return _by_key(holding(ROLES[Act.MANAGE_ACCESS], project_id))
    waited_for = deciders(request)
    return {pk: person for pk, person in _by_key(holding(DECIDING, project_id)).items() if pk not in waited_for}


def _parties(occasion: Occasion, request: ApprovalRequest) -> People:
    return _active([request.requester_id, request.registrant_id, _owner_of(request.subject)])


def _lapsed(occasion: Occasion, request: ApprovalRequest) -> People:
    """Those who asked, those whose word counts no more, and those who were told that it waits for them."""
    told = Notification.objects.filter(
        about="request", about_id=request.pk, kind=NotificationKind.REQUEST_WAITS
    ).values_list("person_id", flat=True)
    words = [(word.decider_id, word.on_behalf_of_id) for word in request.decisions.all()]
    return _active([request.requester_id, request.registrant_id, *told, *(pk for pair in words for pk in pair)])


def _handlers(occasion: Occasion, finding: Finding) -> People:
    return _by_key(holding(ROLES[Act.HANDLE_FINDINGS], finding.scope_project_id))


def _assigned(occasion: Occasion, finding: Finding) -> People:
    # Whom it was given to, unless it was given on before anybody was told.
    return _active([finding.owner_id]) if finding.owner_id == occasion.details.get("owner") else {}


def _finding_due(occasion: Occasion, finding: Finding) -> People:
    if not finding.is_standing:
        return {}
    return _active([finding.owner_id]) if finding.owner_id else _handlers(occasion, finding)


def _review(occasion: Occasion, about: UseCase | Finding) -> People:
    """Whose use case it is; once it is overdue, the officers as well."""
    use_case = about if isinstance(about, UseCase) else about.use_case
    found: People = {} if isinstance(about, UseCase) else _handlers(occasion, about)
    if use_case is None:
        return found
    owners = _active([use_case.model_owner_id])
    return found | (owners or _by_key(holding([Role.MODEL_OWNER], use_case.project_id)))


def _break_glass(occasion: Occasion, finding: Finding) -> People:
    found = _by_key(holding({*ROLES[Act.HANDLE_FINDINGS], Role.AUDITOR}, finding.scope_project_id))
    if subject := finding.use_case or finding.version:
        found |= _active([_owner_of(subject)])
    return {pk: person for pk, person in found.items() if pk != finding.evidence.get("granted_by_id")}


def _shares(occasion: Occasion, finding: Finding) -> People:
    return _by_key(holding(ROLES[Act.SHARE_GROUPS], finding.scope_project_id))


def _write_back(occasion: Occasion, finding: Finding) -> People:
    return _by_key(holding(ROLES[Act.RETRY_OUTBOX], finding.scope_project_id))


def _deployment(occasion: Occasion, deployment: Deployment) -> People:
    """Whose version it is: who brought it in, who asked for it, whose group it is."""
    version = deployment.version
    asked = ApprovalRequest.objects.filter(version=version).values_list("requester_id", flat=True)
    return _active([version.registered_by_id, version.group.owner_id, *asked])


def _deployment_failed(occasion: Occasion, deployment: Deployment) -> People:
    engineers = _by_key(holding(ROLES[Act.REPORT_DEPLOYMENT], deployment.scope_project_id))
    return _deployment(occasion, deployment) | engineers


def _sync(occasion: Occasion, account: Any) -> People:
    return _by_key(holding(ROLES[Act.MANAGE_ACCOUNTS], None))


def _webhook(occasion: Occasion, webhook: Webhook) -> People:
    return _by_key(holding(ROLES[Act.MANAGE_WEBHOOKS], webhook.project_id))


def _delegation(occasion: Occasion, delegation: Delegation) -> People:
    return _active([delegation.delegate_id, delegation.delegator_id])


def _named(occasion: Occasion, row: Any) -> People:
    return {}


_BY_KIND: dict[NotificationKind, Callable[[Occasion, Any], People]] = {
    NotificationKind.REQUEST_WAITS: _waiting,
    NotificationKind.REQUEST_DUE_SOON: _waiting,
    NotificationKind.REQUEST_OVERDUE: _overdue,
    NotificationKind.REQUEST_ESCALATED: _escalated,
    NotificationKind.REQUEST_PROGRESS: _parties,
    NotificationKind.REQUEST_APPROVED: _parties,
    NotificationKind.REQUEST_SENT_BACK: _parties,
    NotificationKind.REQUEST_LAPSED: _lapsed,
    NotificationKind.FINDING_OPENED: _handlers,
    NotificationKind.FINDING_ASSIGNED: _assigned,
    NotificationKind.FINDING_DUE: _finding_due,
    NotificationKind.REVIEW_DUE: _review,
    NotificationKind.BREAK_GLASS: _break_glass,
    NotificationKind.SHARE_DRIFT: _shares,
    NotificationKind.DEPLOYMENT_FAILED: _deployment_failed,
    NotificationKind.DEPLOYMENT_DONE: _deployment,
    NotificationKind.WRITE_BACK_GIVEN_UP: _write_back,
    NotificationKind.SYNC_FAILING: _sync,
    NotificationKind.WEBHOOK_DISABLED: _webhook,
    NotificationKind.DELEGATION_BEGINS: _delegation,
    NotificationKind.DELEGATION_ENDS: _delegation,
    # Whoever writes these says himself whom they are for.
    NotificationKind.PACK_READY: _named,
}


def _owner_of(subject: UseCase | ModelVersion) -> int | None:
    return subject.model_owner_id if isinstance(subject, UseCase) else subject.group.owner_id


def _by_key(people: Iterable[User]) -> People:
    return {person.pk: person for person in people}


def _active(ids: Iterable[int | None]) -> People:
    wanted = {pk for pk in ids if pk is not None}
    found = _by_key(User.objects.filter(pk__in=wanted, is_active=True)) if wanted else {}
    services = [user for user in found.values() if user.is_service]
    if services:
        # Nobody reads what a service account is told: who answers for it is told instead.
        found |= _by_key(answerable_for(services))
    return {pk: user for pk, user in found.items() if not user.is_service}
