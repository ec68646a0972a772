"""Exceptions as people meet them: a delegate at work, a rule overridden from the decision page, a rollback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from governance.lifecycle import EDGES, Machine, Verb
from governance.models import ApprovalRequest, Decision, Finding, Override
from governance.selectors import timeline
from governance.services import approvals, deadlines, delegations, deployments, in_production
from portal.core.vocabulary import RiskClass, Role, Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion, UseCase
from registry.services import use_cases
from tests.api.world import World
from tests.factories import at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once

from .test_pages import words_of

AsRole = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def request_path(asked: ApprovalRequest) -> str:
    return reverse("governance:request", args=[asked.pk])


def test_a_delegate_finds_it_in_his_queue_and_decides_in_the_others_name(world: World, as_role: AsRole) -> None:
    owner = as_role("model_owner")
    sent = owner.post(
        reverse("governance:delegation_new"),
        {
            "delegator": world.people.owner.pk,
            "delegate": world.people.officer.pk,
            "role": "model_owner",
            "project": world.project.pk,
            "starts_on": str(timezone.localdate()),
            "ends_on": str(timezone.localdate()),
            "reason": "At a conference.",
        },
    )
    assert sent.status_code == 302
    officer = as_role("governance_officer")
    assert world.use_case_request.public_id in words_of(officer.get(reverse("governance:queue")))
    page = request_path(world.use_case_request)
    assert "You cannot decide here" not in words_of(officer.get(page))
    assert officer.post(page, {"verdict": "approve"}).status_code == 302
    decision = Decision.objects.get(request=world.use_case_request)
    assert decision.on_behalf_of == world.people.owner
    assert f"for {world.people.owner}" in words_of(as_role("auditor").get(page))
    register = words_of(as_role("auditor").get(reverse("governance:delegation_list")))
    assert "At a conference." in register


def test_what_cannot_be_delegated_is_said_beside_the_fields(world: World, as_role: AsRole) -> None:
    answer = as_role("model_owner").post(
        reverse("governance:delegation_new"),
        {
            "delegator": world.people.owner.pk,
            "delegate": world.people.owner.pk,
            "role": "model_owner",
            "starts_on": "2026-02-01",
            "ends_on": "2026-01-01",
            "reason": "",
        },
    )
    assert answer.status_code == 422
    assert "This field is required" in words_of(answer)


def test_an_officer_overrides_a_rule_from_the_decision_page(world: World, as_role: AsRole) -> None:
    made = version(group(world.project, world.people), risk="High", metrics={})
    at_stage(world.people, made, Stage.QA)
    asked = approvals.submit(actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    officer, page = as_role("governance_officer"), request_path(asked)
    shown = words_of(officer.get(page))
    assert "Bias report" in shown
    assert "Override a rule that fails" in shown
    refused = officer.post(page, {"verdict": "approve"})
    assert refused.status_code == 409
    assert "cannot be approved yet" in words_of(refused)
    address = f"{reverse('governance:version_break_glass', args=[made.pk])}?stage=qa"
    assert "An exception in full view" in words_of(officer.get(address))
    sent = officer.post(
        address,
        {
            "check": "evidence:bias_report",
            "reason": "The report is late.",
            "expires_at": (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"),
        },
    )
    assert sent.status_code == 302
    row = Override.objects.get(version=made)
    assert Finding.objects.filter(kind="break_glass_used", version=made).exists()
    assert "overridden" in words_of(officer.get(page)).lower()
    assert row.public_id in words_of(as_role("auditor").get(reverse("governance:override_list")))
    assert officer.post(reverse("governance:override_revoke", args=[row.pk])).status_code == 302
    assert "Revoked" in words_of(as_role("auditor").get(reverse("governance:override_list")))


def test_a_rollback_is_ordered_from_the_versions_page(world: World, as_role: AsRole) -> None:
    of = group(world.project, world.people)
    first = at_stage(world.people, version(of, 1), Stage.PRODUCTION, Status.DEPLOYED)
    at_stage(world.people, version(of, 2), Stage.PRODUCTION, Status.DEPLOYED)
    officer = as_role("governance_officer")
    panel = reverse("governance:version_panel", args=[first.pk])
    assert "Roll back to it" in words_of(officer.get(panel))
    assert "Roll back to it" not in words_of(as_role("data_scientist").get(panel))
    address = reverse("governance:version_rollback", args=[first.pk])
    assert "goes on running" in words_of(officer.get(address))
    assert officer.post(address, {"stage": "production", "reason": "The new one is slow."}).status_code == 302
    assert Deployment.objects.get(version=first, stage="production").state == "ordered"
    # A second click finds nothing superseded any more.
    again = officer.post(address, {"stage": "production", "reason": "The new one is slow."})
    assert again.status_code in (409, 422)


def test_an_overdue_request_is_escalated_for_all_to_see(world: World, as_role: AsRole) -> None:
    case = use_case(world.people, world.project)
    asked = approvals.submit(actor=world.people.scientist.actor, subject_type=UseCase, subject_id=case.pk)
    later = asked.due_at + timedelta(minutes=1)
    escalated = deadlines.escalate_due(actor=SYSTEM, now=later)
    assert asked in escalated
    assert deadlines.escalate_due(actor=SYSTEM, now=later) == []
    assert "Escalated" in words_of(as_role("auditor").get(request_path(asked)))


def test_a_delegation_of_another_project_is_hidden(world: World, as_role: AsRole) -> None:
    row = delegations.delegate(
        actor=world.people.officer.actor,
        delegator=world.people.officer,
        to=world.people.owner,
        role=Role.GOVERNANCE_OFFICER,
        project=world.project,
        starts_on=timezone.localdate(),
        ends_on=timezone.localdate(),
        reason="Away.",
    )
    stranger = as_role("stranger")
    assert "Away." not in words_of(stranger.get(reverse("governance:delegation_list")))
    assert stranger.post(reverse("governance:delegation_revoke", args=[row.pk])).status_code == 404


def test_every_verb_of_the_ledger_has_its_words_in_the_history() -> None:
    written = {Verb(edge.verb) for edge in EDGES if edge.machine is not Machine.APPROVAL_REQUEST} | {Verb.RENEW}
    assert written <= set(timeline._VERBS)


def test_the_history_tells_of_renewals_rollbacks_and_prohibitions(world: World, as_role: AsRole) -> None:
    of = group(world.project, world.people, world.asked)
    first = at_stage(world.people, version(of, 1), Stage.PRODUCTION, Status.DEPLOYED)
    at_stage(world.people, version(of, 2), Stage.PRODUCTION, Status.DEPLOYED)
    in_production.rollback(
        actor=world.people.officer.actor, version_id=first.pk, stage=Stage.PRODUCTION, reason="The new one is slow."
    )
    approve_once(world.people, world.draft)
    use_cases.classify(
        actor=world.people.officer.actor,
        use_case_id=world.draft.pk,
        risk_class=RiskClass.UNACCEPTABLE,
        reason="Art. 5.",
    )
    auditor = as_role("auditor")
    assert "Rolled back to it" in words_of(auditor.get(reverse("governance:version_activity", args=[first.pk])))
    told = words_of(auditor.get(reverse("governance:use_case_activity", args=[world.draft.number])))
    assert "Found unacceptable" in told


def test_what_stands_deployed_after_a_failed_update_can_be_retired_by_force_on_its_page(
    world: World, as_role: AsRole
) -> None:
    made = at_stage(world.people, version(group(world.project, world.people), 1), Stage.PRODUCTION, Status.DEPLOYED)
    ordered = Deployment.objects.get(version=made, stage="production")
    deployments.report(
        actor=world.people.engineer.actor, deployment_id=ordered.pk, state=DeploymentState.FAILED, detail="Old serves."
    )
    officer, address = as_role("governance_officer"), reverse("governance:version_retire", args=[made.pk])
    assert "It is still running" in words_of(officer.get(address))
    assert officer.post(address, {"reason": "Not needed."}).status_code == 409
    assert officer.post(address, {"reason": "Not needed.", "force": "on"}).status_code == 302
