"""Random people do random things, as they come, and after each of them nothing that must hold is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from governance.choices import EvidenceKind, MetricKind, RequestState, Verdict
from governance.lifecycle import Machine, Verb, is_legal
from governance.models import ApprovalRequest, StageEvent, StageRecord
from governance.selectors import audit, replay
from governance.selectors.overrides import failing
from governance.services import (
    approvals,
    deadlines,
    delegations,
    deployments,
    in_production,
    metrics,
    overrides,
    retirement,
)
from portal.core.errors import DomainError
from portal.core.vocabulary import RiskClass, Role, Stage, Status
from registry.choices import DeploymentState, DocumentKind
from registry.models import Deployment, ModelVersion, UseCase, User
from registry.services import people as registry_people
from registry.services import use_cases
from tests.factories import at_stage, cast, group, person, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.records import card
from tests.factories.walk import all_accounts, approve_once
from tests.scene import settle, undone

pytestmark = pytest.mark.django_db
EXAMPLES, STEPS = 15, 40
# The same walks each time, and such that come far: what a walk does not reach it does not prove.
SEED = 3
SESSION = "arn:aws:sts::222222222222:assumed-role/DataScientist/somebody"

# How often a move was made, over all walks: a walk that gets nowhere proves nothing.
REACHED: Counter[tuple[str, str]] = Counter()
MUST_REACH = {
    *(("model_version", verb) for verb in ("approve", "advance", "reject", "deploy", "retire")),
    *(("use_case", verb) for verb in ("approve", "advance", "prohibit")),
}

whom = st.integers(0, 9)
which = st.integers(0, 9)
WORDS = {
    "one open request per subject and stage": """
        SELECT use_case_id, version_id, stage FROM governance_approvalrequest WHERE state = 'open'
         GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "no decision by, or in the name of, somebody with a part in it": """
        SELECT d.id FROM governance_decision d JOIN governance_approvalrequest r ON r.id = d.request_id
         WHERE d.decider_id IN (r.requester_id, r.registrant_id, r.modifier_id)
            OR d.on_behalf_of_id IN (r.requester_id, r.registrant_id, r.modifier_id, d.decider_id)""",
    "approved only with every approval it needed, by as many people": """
        SELECT r.id FROM governance_approvalrequest r, jsonb_array_elements(r.requirements -> 'approvals') need
         WHERE r.state = 'approved' AND (need ->> 'count')::int > (
           SELECT count(DISTINCT coalesce(d.on_behalf_of_id, d.decider_id)) FROM governance_decision d
            WHERE d.request_id = r.id AND d.verdict = 'approve' AND d.role = need ->> 'role')""",
    "one refusal closes": """
        SELECT r.id FROM governance_approvalrequest r JOIN governance_decision d ON d.request_id = r.id
         WHERE r.state IN ('open', 'approved') AND d.verdict <> 'approve'""",
    "an approved record has an approved request of its stage behind it": """
        SELECT s.id FROM governance_stagerecord s WHERE s.status IN ('approved', 'deployed', 'superseded')
           AND NOT EXISTS (SELECT 1 FROM governance_approvalrequest r WHERE r.version_id = s.version_id
                              AND r.state = 'approved'
                              AND ((r.stage = s.stage AND r.digest = s.approved_digest) OR r.renews))""",
    "unacceptable never beyond POC": """
        SELECT id FROM registry_usecase WHERE risk_class = 'unacceptable' AND stage NOT IN ('poc', 'retired')""",
    "one version deployed per group and production account": """
        SELECT v.group_id, s.account_id FROM governance_stagerecord s JOIN registry_modelversion v ON v.id = s.version_id
         WHERE s.stage = 'production' AND s.status = 'deployed' GROUP BY 1, 2 HAVING count(*) > 1""",
    "every change has somebody's name": """
        SELECT sequence FROM governance_auditevent WHERE actor IS NULL""",
    "nothing retired waits": """
        SELECT r.id FROM governance_approvalrequest r
          LEFT JOIN registry_modelversion v ON v.id = r.version_id LEFT JOIN registry_usecase u ON u.id = r.use_case_id
         WHERE r.state = 'open' AND coalesce(v.stage, u.stage) = 'retired'""",
}


class Portal(RuleBasedStateMachine):
    """A project with two use cases, three versions and ten people, some of whom hold more than one role."""

    def __init__(self) -> None:
        super().__init__()
        self.undoing = ExitStack()
        self.undoing.enter_context(undone())
        here, there = project(), project()
        all_accounts()
        self.cast = cast(here, there)
        everything = person(*(role for role in Role if role is not Role.ML_ADMIN), project=here)
        both = person(Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER, project=here)
        registry_people.link_identity(actor=SYSTEM, user=everything, arn=SESSION)
        found = self.cast
        self.people: list[int] = [
            one.pk
            for one in (
                found.scientist,
                found.owner,
                found.engineer,
                found.officer,
                found.second_officer,
                found.admin,
                found.auditor,
                found.stranger,
                everything,
                both,
            )
        ]
        self.project = here
        self.cases = [use_case(found, here, RiskClass.MINIMAL), use_case(found, here, RiskClass.UNCLASSIFIED)]
        self.group = group(here, found, self.cases[0])
        self.versions = [
            version(self.group, 1, risk="Low"),
            version(self.group, 2, risk="Medium", registrant=SESSION),
            version(self.group, 3, risk="High"),
        ]
        # The first use case and version stand well on their way, so that a short walk comes past every move.
        approve_once(found, self.cases[0])
        at_stage(found, self.versions[0], Stage.PRODUCTION, Status.DEPLOYED)
        self.entry = self._last_entry()
        self.positions = self._positions()

    def teardown(self) -> None:
        self.undoing.close()

    def _actor(self, index: int) -> Any:
        return User.objects.get(pk=self.people[index % len(self.people)]).actor

    def _subject(self, index: int) -> UseCase | ModelVersion:
        subjects = [*self.versions, *self.cases]
        chosen = subjects[index % len(subjects)]
        return type(chosen)._default_manager.get(pk=chosen.pk)  # type: ignore[return-value]

    def _version(self, index: int) -> ModelVersion:
        return ModelVersion.objects.get(pk=self.versions[index % len(self.versions)].pk)

    def _request(self, index: int) -> ApprovalRequest | None:
        requests = list(ApprovalRequest.objects.order_by("-pk")[:6])
        return requests[index % len(requests)] if requests else None

    def _try(self, call: Callable[[], object]) -> None:
        """Do it: a refusal by name is an answer; a refusal by the database is a rule the services do not know."""
        try:
            call()
        except DomainError:
            return
        settle()

    def _last_entry(self) -> int:
        return StageEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0

    def _positions(self) -> dict[tuple[str, int], str]:
        return {
            ("model_version" if isinstance(one, ModelVersion) else "use_case", one.pk): f"{now.stage}/{now.status}"
            for one in [*self.versions, *self.cases]
            for now in [type(one)._default_manager.get(pk=one.pk)]
        }

    # What people do.

    @rule(who=whom, what=which)
    def submit(self, who: int, what: int) -> None:
        subject = self._subject(what)
        self._try(lambda: approvals.submit(actor=self._actor(who), subject_type=type(subject), subject_id=subject.pk))

    @rule(who=whom, what=which, verdict=st.sampled_from(Verdict), back=st.none() | st.sampled_from(Stage))
    def decide(self, who: int, what: int, verdict: Verdict, back: Stage | None) -> None:
        if request := self._request(what):
            self._try(
                lambda: approvals.decide(
                    actor=self._actor(who),
                    request_id=request.pk,
                    verdict=verdict,
                    comment="Because.",
                    back_to=back if verdict is Verdict.REJECT else None,
                )
            )

    @rule(what=which, times=st.integers(1, 4), deployed=st.booleans())
    def all_who_may_approve(self, what: int, times: int, deployed: bool) -> None:
        """Chance alone seldom gets a version far: here everybody who may approves, stage after stage."""
        for _ in range(times):
            self._ask_and_have_everybody_say(self._subject(what), Verdict.APPROVE)
        if deployed:
            self.everything_ordered_is_deployed()

    @rule(what=which, back=st.none() | st.sampled_from(Stage))
    def somebody_who_may_rejects(self, what: int, back: Stage | None) -> None:
        self._ask_and_have_everybody_say(self._subject(what), Verdict.REJECT, back)

    def _ask_and_have_everybody_say(
        self, subject: UseCase | ModelVersion, verdict: Verdict, back: Stage | None = None
    ) -> None:
        self._try(
            lambda: approvals.submit(actor=self.cast.scientist.actor, subject_type=type(subject), subject_id=subject.pk)
        )
        request = ApprovalRequest.objects.about(subject).order_by("-pk").first()
        for person_id in range(len(self.people)):
            if request is None or request.state != RequestState.OPEN:
                return
            self._try(
                lambda who=person_id: approvals.decide(  # type: ignore[misc]
                    actor=self._actor(who), request_id=request.pk, verdict=verdict, comment="Because.", back_to=back
                )
            )
            request.refresh_from_db()

    @rule(what=which)
    def an_officer_finds_it_unacceptable(self, what: int) -> None:
        case = self.cases[what % len(self.cases)]
        self._try(
            lambda: use_cases.classify(
                actor=self.cast.officer.actor,
                use_case_id=case.pk,
                risk_class=RiskClass.UNACCEPTABLE if what % 3 == 0 else RiskClass.MINIMAL,
                reason="Art. 5.",
            )
        )

    @rule(who=whom, what=which)
    def withdraw(self, who: int, what: int) -> None:
        if request := self._request(what):
            self._try(lambda: approvals.withdraw(actor=self._actor(who), request_id=request.pk))

    @rule(who=whom, what=which, force=st.booleans(), sure=st.integers(0, 4))
    def retire(self, who: int, what: int, force: bool, sure: int) -> None:
        if sure:
            return
        subject = self._subject(what)
        self._try(
            lambda: retirement.retire(
                actor=self._actor(who),
                subject_type=type(subject),
                subject_id=subject.pk,
                reason="No longer needed.",
                force=force,
            )
        )

    @rule(who=whom, what=which, state=st.sampled_from(DeploymentState))
    def report_deployment(self, who: int, what: int, state: DeploymentState) -> None:
        found = list(Deployment.objects.order_by("-pk")[:4])
        if found:
            chosen = found[what % len(found)]
            self._try(lambda: deployments.report(actor=self._actor(who), deployment_id=chosen.pk, state=state))

    def everything_ordered_is_deployed(self) -> None:
        for deployment in Deployment.objects.filter(state=DeploymentState.ORDERED).order_by("pk"):
            self._try(
                lambda pk=deployment.pk: deployments.report(  # type: ignore[misc]
                    actor=self.cast.engineer.actor, deployment_id=pk, state=DeploymentState.DEPLOYED
                )
            )

    @rule(who=whom, what=which, stage=st.sampled_from(Stage))
    def roll_back(self, who: int, what: int, stage: Stage) -> None:
        self._try(
            lambda: in_production.rollback(
                actor=self._actor(who), version_id=self._version(what).pk, stage=stage, reason="It fails."
            )
        )

    @rule(what=which)
    def an_officer_rolls_back(self, what: int) -> None:
        self._try(
            lambda: in_production.rollback(
                actor=self.cast.officer.actor,
                version_id=self._version(what).pk,
                stage=Stage.PRODUCTION,
                reason="It fails.",
            )
        )

    @rule(who=whom, what=which, which_check=which)
    def break_glass(self, who: int, what: int, which_check: int) -> None:
        subject = self._subject(what)
        stage = Stage(subject.stage)
        unmet = failing(subject, stage) if stage is not Stage.RETIRED else ()
        key = unmet[which_check % len(unmet)].key if unmet else f"evidence:{EvidenceKind.BIAS_REPORT}"
        self._try(
            lambda: overrides.break_glass(
                actor=self._actor(who),
                subject_type=type(subject),
                subject_id=subject.pk,
                stage=stage,
                check_key=key,
                reason="Late.",
                expires_at=timezone.now() + timedelta(days=1),
            )
        )

    @rule(who=whom, to=whom, role=st.sampled_from([Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER]))
    def delegate(self, who: int, to: int, role: Role) -> None:
        today = timezone.now().date()
        actor = self._actor(who)
        self._try(
            lambda: delegations.delegate(
                actor=actor,
                delegator=User.objects.get(pk=actor.user_id),
                to=User.objects.get(pk=self.people[to % len(self.people)]),
                role=role,
                project=self.project,
                starts_on=today,
                ends_on=today,
                reason="Away.",
            )
        )

    @rule(who=whom, what=which, risk=st.sampled_from(RiskClass))
    def classify(self, who: int, what: int, risk: RiskClass) -> None:
        case = self.cases[what % len(self.cases)]
        self._try(
            lambda: use_cases.classify(
                actor=self._actor(who), use_case_id=case.pk, risk_class=risk, reason="As assessed."
            )
        )

    @rule(who=whom, what=which, kind=st.sampled_from(DocumentKind))
    def write_document(self, who: int, what: int, kind: DocumentKind) -> None:
        case = self.cases[what % len(self.cases)]
        self._try(
            lambda: use_cases.write_documents(
                actor=self._actor(who), use_case_id=case.pk, texts={kind: f"Written by {who}."}
            )
        )

    @rule(who=whom, what=which, kind=st.sampled_from(MetricKind), auc=st.none() | st.floats(0, 1))
    def report_metrics(self, who: int, what: int, kind: MetricKind, auc: float | None) -> None:
        records = list(StageRecord.objects.filter(version=self._version(what)).order_by("-pk")[:2])
        self._try(
            lambda: metrics.report(
                actor=self._actor(who), record_id=records[0].pk, kind=kind, metrics={"auc": auc}, endpoint="e"
            )
        )

    # What happens without them.

    @rule(what=which, content=st.sampled_from(["same", "metadata", "risk"]))
    def aws_describes_it_anew(self, what: int, content: str) -> None:
        seen = self._version(what)
        risk = {"low": "Low", "medium": "Medium", "high": "High"}[seen.risk_rating]
        values: dict[str, Any] = {"card_content": card(risk="Medium" if content == "risk" else risk)}
        if content == "metadata":
            values["metadata"] = {"algorithm": "xgboost", "validation_auc": "0.79"}
        version(self.group, seen.number, registrant=seen.registrant_arn, created_at=seen.aws_created_at, **values)
        settle()

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        later = timezone.now() + timedelta(days=days)
        deadlines.escalate_due(actor=SYSTEM, now=later)
        deadlines.expire_due(actor=SYSTEM, now=later)
        settle()

    @rule(what=which)
    def somebody_tries_sql(self, what: int) -> None:
        tried = self._version(what)
        stage = "qa" if (tried.stage, tried.status) == ("production", "approved") else "production"
        with pytest.raises(IntegrityError), undone():
            ModelVersion.objects.filter(pk=tried.pk).update(stage=stage, status="approved", revision=F("revision") + 1)

    # What must hold.

    @invariant()
    def nothing_is_broken(self) -> None:
        with connection.cursor() as cursor:
            for words, query in WORDS.items():
                cursor.execute(query)
                assert cursor.fetchall() == [], words

    @invariant()
    def subjects_move_along_edges_only(self) -> None:
        entries = StageEvent.objects.filter(id__gt=self.entry).order_by("id")
        for entry in entries:
            key = (entry.kind, entry.version_id or entry.use_case_id or 0)
            before, after = self.positions[key], f"{entry.position_stage}/{entry.position_status}"
            REACHED[entry.kind, entry.verb] += 1
            if before == after:
                continue
            assert is_legal(Machine(entry.kind), Verb(entry.verb), before, after), f"{entry.verb}: {before} to {after}"
            self.positions[key] = after
        self.entry = self._last_entry()
        assert self.positions == self._positions(), "the ledger replays to where everything stands"

    @invariant()
    def the_ledger_and_the_trail_verify(self) -> None:
        replayed = replay.replay(SYSTEM)
        assert replayed.agrees, replayed.named
        found = audit.verify()
        assert found.is_intact, found


def test_whatever_people_do_nothing_that_must_hold_is_broken() -> None:
    run_state_machine_as_test(
        seed(SEED)(Portal),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert set(REACHED) >= MUST_REACH
