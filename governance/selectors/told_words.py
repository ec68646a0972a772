"""What people are told, in words: a title that says it all, a text that says what to do, the page to open.

Times are absolute and in UTC, for an e-mail is read days later. Nothing here decides; it reads what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from portal.core.vocabulary import NotificationKind
from registry.choices import DeploymentState
from registry.models import AwsAccount, Deployment, UseCase

from ..choices import FindingKind, RequestState, Role, Stage, Verdict
from ..models import ApprovalRequest, Decision, Delegation, Finding, Occasion, Webhook
from ..policies.engine import waiting_for
from ..policies.facts import Requirements, Vote
from ..policies.rules import outstanding
from .told import path_of

LONGEST_TITLE = 300
LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Told:
    """One notification's words."""

    title: str
    text: str
    path: str

    def bounded(self) -> Told:
        """Return it within what is stored, without characters that cannot be."""
        title, text = (value.replace("\0", "") for value in (self.title, self.text))
        return Told(_cut(" ".join(title.split()), LONGEST_TITLE), _cut(text, LONGEST_TEXT), self.path)


def words(occasion: Occasion, row: Any, person_id: int) -> Told:
    """Return what one person is told of an occasion that is about `row`."""
    given = occasion.details
    if "title" in given:
        return Told(given["title"], given.get("text", ""), given["path"]).bounded()
    title, text = _WORDS[NotificationKind(occasion.kind)](occasion, row, person_id)
    return Told(title, text, path_of(row)).bounded()


def of_findings(kind: FindingKind, found: list[Finding], count: int) -> Told:
    """Return what is told of some findings of one kind: of one, what it says; of more, how many there are."""
    if count == 1:
        only = found[0]
        about = only.use_case or only.version or only.group or only.account or "the portal"
        return Told(
            f"{kind.label}: {about}", f"{only.public_id}, {only.severity}. {only.summary}", path_of(only)
        ).bounded()
    query = urlencode({"kind": kind.value, "state": "standing"})
    path = f"{reverse('governance:finding_list')}?{query}"
    return Told(f"{kind.label}: {count:,} new findings", "They came within the same hour.", path)


def day_words(moment: datetime | date) -> str:
    """Say a moment in full: "23 November 2026, 14:00 UTC", of a date the day alone."""
    day = f"{moment.day} {moment:%B %Y}"
    return f"{day}, {moment:%H:%M} UTC" if isinstance(moment, datetime) else day


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _where(request: ApprovalRequest) -> str:
    return f"{request.subject} in {Stage(request.stage).label}"


def _asked(request: ApprovalRequest) -> str:
    goes_on = f", then to {Stage(request.to_stage).label}" if request.to_stage else ""
    again = " Its approval is to be given again." if request.renews else ""
    note = f" “{request.note}”" if request.note else ""
    asks = f"{request.public_id}: {request.requester} asks for approval in {Stage(request.stage).label}{goes_on}."
    return f"{asks}{again}{note}"


def _still(request: ApprovalRequest) -> str:
    votes = [
        Vote(word.on_behalf_of_id or word.decider_id, Role(word.role))
        for word in request.decisions.all()
        if word.verdict == Verdict.APPROVE
    ]
    needs = Requirements.from_json(request.requirements).approvals
    return waiting_for(needs, outstanding(needs, votes)) or "decided"


def _waits(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    return f"Decide on {_where(request)}", f"{_asked(request)} Due {day_words(request.due_at)}."


def _due_soon(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    text = f"{request.public_id} is {_still(request)} and due {day_words(request.due_at)}."
    return f"Due soon: decide on {_where(request)}", text


def _overdue(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    text = f"{request.public_id} was due {day_words(request.due_at)} and is {_still(request)}."
    closes = f" Without a decision it expires {day_words(request.expires_at)}."
    if person_id == request.requester_id:
        return f"Overdue: your request for {_where(request)}", text + closes
    return f"Overdue: decide on {_where(request)}", text + closes


def _escalated(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    text = f"{request.public_id} was due {day_words(request.due_at)} and is {_still(request)}."
    if occasion.details.get("step"):
        text += " If those who may decide are away, delegate their role or give it to somebody else."
    else:
        text += " It does not wait for you, but you know who it waits for."
    return f"Escalated: nobody has decided on {_where(request)}", text


def _progress(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    word = Decision.objects.filter(pk=occasion.details.get("decision")).first()
    said = f" “{word.comment}”" if word and word.comment else ""
    by = word.decider_name if word else occasion.actor_name
    return f"{by} approved {_where(request)}", f"{request.public_id} is still {_still(request)}.{said}"


def _approved(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    given = [word for word in request.decisions.all() if word.verdict == Verdict.APPROVE]
    by = " and ".join(word.decider_name for word in given)
    text = f"{request.public_id} was approved{f' by {by}' if by else ''}."
    comments = [f"{word.decider_name}: “{word.comment}”" for word in given if word.comment]
    return f"{_where(request)} is approved", " ".join([text, *comments])


def _sent_back(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    by = f" by {occasion.actor_name}" if occasion.actor_name else ""
    if request.state == RequestState.CHANGES_REQUESTED:
        title, what = f"Changes are asked for: {_where(request)}", f"{request.public_id} was sent back{by}."
    else:
        title, what = f"{_where(request)} is rejected", f"{request.public_id} was rejected{by}."
    return title, f"{what} “{request.closing_note}” It may be submitted again once that is done."


def _lapsed(occasion: Occasion, request: ApprovalRequest, person_id: int) -> tuple[str, str]:
    how = RequestState(request.state).value.replace("_", " ")
    said = f" {request.closing_note}" if request.closing_note else ""
    return f"{request.public_id} for {_where(request)} is {how}", f"It takes no more decisions.{said}"


def _finding(occasion: Occasion, finding: Finding, person_id: int) -> tuple[str, str]:
    told = of_findings(FindingKind(finding.kind), [finding], 1)
    return told.title, told.text


def _assigned(occasion: Occasion, finding: Finding, person_id: int) -> tuple[str, str]:
    due = f" It is due {day_words(finding.due_on)}." if finding.due_on else ""
    by = f"{occasion.actor_name} gave it to you. " if occasion.actor_name else ""
    return f"{finding.public_id} is yours: {FindingKind(finding.kind).label.lower()}", f"{by}{finding.summary}{due}"


def _finding_due(occasion: Occasion, finding: Finding, person_id: int) -> tuple[str, str]:
    when = day_words(finding.due_on) if finding.due_on else "soon"
    return f"{finding.public_id} is due: {FindingKind(finding.kind).label.lower()}", f"Due {when}. {finding.summary}"


def _review(occasion: Occasion, about: UseCase | Finding, person_id: int) -> tuple[str, str]:
    use_case = about if isinstance(about, UseCase) else about.use_case
    if use_case is None or use_case.next_review_on is None:
        return "A review is due", about.summary if isinstance(about, Finding) else ""
    when = day_words(use_case.next_review_on)
    if isinstance(about, Finding):
        return f"The review of {use_case} is overdue", f"It was due {when} ({about.public_id})."
    return f"The review of {use_case} is due", f"It is planned for {when}."


def _deployment(occasion: Occasion, deployment: Deployment, person_id: int) -> tuple[str, str]:
    what = f"{deployment.version.name} for {Stage(deployment.stage).label} in {deployment.account}"
    said = f" {occasion.details['said']}" if occasion.details.get("said") else ""
    if occasion.details.get("state") == DeploymentState.FAILED:
        return f"Deployment failed: {what}", f"It was reported failed.{said}"
    return f"Deployed: {what}", f"It was reported in place.{said}"


def _sync(occasion: Occasion, account: AwsAccount, person_id: int) -> tuple[str, str]:
    given = occasion.details
    since = f" Changes after {given['known']} are not known." if given.get("known") else " Nothing of it is known yet."
    return (
        f"{account} cannot be read in {given['region']}",
        f"{given['failing']} passes failed in a row.{since} {given['error']}",
    )


def _delegation(occasion: Occasion, row: Delegation, person_id: int) -> tuple[str, str]:
    role = row.get_role_display().lower()
    where = f" on {row.project}" if row.project else ""
    days = f"from {day_words(row.starts_on)} to {day_words(row.ends_on)}"
    if occasion.kind == NotificationKind.DELEGATION_ENDS:
        how = f"was revoked by {row.revoked_by}" if row.revoked_at else f"ends with {day_words(row.ends_on)}"
        if person_id == row.delegator_id:
            return f"You decide yourself again: {row.delegate} no longer stands in", f"The delegation {how}."
        return f"You no longer stand in for {row.delegator}", f"The delegation as {role}{where} {how}."
    if person_id == row.delegator_id:
        return (
            f"{row.delegate} decides in your name",
            f"As {role}{where}, {days}. {row.made_by} arranged it: {row.reason}",
        )
    today = " It begins today." if occasion.details.get("begins") else ""
    return f"You stand in for {row.delegator} as {role}{where}", f"{days.capitalize()}.{today} {row.reason}"


def _webhook(occasion: Occasion, webhook: Webhook, person_id: int) -> tuple[str, str]:
    said = webhook.disabled_reason or "It has been enabled again since."
    return f"The webhook {webhook.name} is disabled", f"{said} What waits is kept; enable it to have it sent."


def _plain(occasion: Occasion, row: Any, person_id: int) -> tuple[str, str]:
    return NotificationKind(occasion.kind).label, ""


_WORDS: dict[NotificationKind, Callable[[Occasion, Any, int], tuple[str, str]]] = {
    NotificationKind.REQUEST_WAITS: _waits,
    NotificationKind.REQUEST_DUE_SOON: _due_soon,
    NotificationKind.REQUEST_OVERDUE: _overdue,
    NotificationKind.REQUEST_ESCALATED: _escalated,
    NotificationKind.REQUEST_PROGRESS: _progress,
    NotificationKind.REQUEST_APPROVED: _approved,
    NotificationKind.REQUEST_SENT_BACK: _sent_back,
    NotificationKind.REQUEST_LAPSED: _lapsed,
    NotificationKind.FINDING_OPENED: _finding,
    NotificationKind.FINDING_ASSIGNED: _assigned,
    NotificationKind.FINDING_DUE: _finding_due,
    NotificationKind.REVIEW_DUE: _review,
    NotificationKind.BREAK_GLASS: _finding,
    NotificationKind.SHARE_DRIFT: _finding,
    NotificationKind.DEPLOYMENT_FAILED: _deployment,
    NotificationKind.DEPLOYMENT_DONE: _deployment,
    NotificationKind.WRITE_BACK_GIVEN_UP: _finding,
    NotificationKind.SYNC_FAILING: _sync,
    NotificationKind.DELEGATION_BEGINS: _delegation,
    NotificationKind.DELEGATION_ENDS: _delegation,
    NotificationKind.PACK_READY: _plain,
    NotificationKind.WEBHOOK_DISABLED: _webhook,
}
