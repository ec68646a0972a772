"""People who do things at random, through the services and around them, for what must hold whatever they do."""

from __future__ import annotations

import random
from contextlib import suppress

from django.db import transaction

from governance.choices import MetricKind, Verdict
from governance.models import StageRecord
from governance.services import approvals, deployments, metrics, record_attributes, retirement
from portal.core.errors import DomainError
from portal.core.vocabulary import RiskClass, Stage
from registry.choices import AttributeType, DeploymentState, ObjectKind
from registry.models import Deployment, ModelGroup, ModelVersion, UseCase
from registry.services import custom_attributes, groups, organisation, people, use_cases
from registry.services.custom_attributes import AttributeDefinition
from tests import factories
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts, approve_once, deciders
from tests.refusals import as_replica, sql


class Walk:
    """People who do things at random, through the services and around them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.home, self.other = factories.project(), factories.project()
        all_accounts()
        self.people = factories.cast(self.home, self.other)
        self.numbers = iter(range(1, 10_000))
        self.cases = [factories.use_case(self.people, self.home) for _ in range(2)]
        self.groups = [factories.group(self.home, self.people, case) for case in self.cases]
        custom_attributes.define(
            actor=SYSTEM,
            definition=AttributeDefinition(
                kind=ObjectKind.STAGE_RECORD, key="ticket", label="Ticket", type=AttributeType.TEXT
            ),
        )
        self.done: set[str] = set()
        # Each thing once, so that no seed leaves one out; then whatever comes.
        self.first = self.chance.sample(THINGS, len(THINGS))

    def step(self) -> None:
        """Do one thing; what is refused changes nothing and is no step less."""
        name = self.first.pop() if self.first else self.chance.choice(THINGS)
        with suppress(DomainError):
            getattr(self, name)()
            self.done.add(name)

    def go(self, steps: int) -> None:
        """Do so many things."""
        for _ in range(steps):
            self.step()

    def version(self) -> ModelVersion:
        return self.chance.choice(list(ModelVersion.objects.order_by("pk")) or [self.do_register()])

    def do_register(self) -> ModelVersion:
        group = self.chance.choice(self.groups)
        return factories.version(group, next(self.numbers), risk=self.chance.choice(["Low", "Medium", "High"]))

    def do_approve(self) -> None:
        version = self.version()
        for _ in range(self.chance.randint(1, 4)):
            approve_once(self.people, version)

    def do_reject(self) -> None:
        request = approvals.submit(
            actor=self.people.scientist.actor, subject_type=ModelVersion, subject_id=self.version().pk
        )
        decider = deciders(self.people, request)[0]
        approvals.decide(
            actor=decider.actor,
            request_id=request.pk,
            verdict=Verdict.REJECT,
            comment="No.",
            back_to=Stage.DEVELOPMENT,
        )

    def do_deploy(self) -> None:
        waiting = list(Deployment.objects.filter(state=DeploymentState.ORDERED).order_by("pk"))
        for deployment in self.chance.sample(waiting, min(2, len(waiting))):
            deployments.report(
                actor=self.people.engineer.actor,
                deployment_id=deployment.pk,
                state=DeploymentState.DEPLOYED,
                endpoint="arn:aws:sagemaker:us-east-1:444444444444:endpoint/e",
            )

    def do_report_metrics(self) -> None:
        record = self.chance.choice(list(StageRecord.objects.filter(version=self.version()).order_by("pk")))
        kind = self.chance.choice(list(MetricKind))
        metrics.report(
            actor=self.people.scientist.actor,
            record_id=record.pk,
            kind=kind,
            metrics={"auc": self.chance.random(), "ks": None},
            source="test",
            endpoint="endpoint/e",
        )

    def do_fill_in_attribute(self) -> None:
        record = self.chance.choice(list(StageRecord.objects.filter(version=self.version()).order_by("pk")))
        record_attributes.set_attributes(
            actor=self.people.scientist.actor,
            record_id=record.pk,
            values={"ticket": self.chance.choice(["A-1", "B-2", None])},
            revision=record.revision,
        )

    def do_rename_use_case(self) -> None:
        case = UseCase.objects.get(pk=self.chance.choice(self.cases).pk)
        text = use_cases.UseCaseText(name=f"Renamed {self.chance.random()}", intended_purpose="Rank.")
        use_cases.edit(actor=self.people.scientist.actor, use_case_id=case.pk, revision=case.revision, text=text)

    def do_classify(self) -> None:
        use_cases.classify(
            actor=self.people.officer.actor,
            use_case_id=self.chance.choice(self.cases).pk,
            risk_class=self.chance.choice([RiskClass.HIGH, RiskClass.LIMITED, RiskClass.MINIMAL]),
            reason="Looked at again.",
        )

    def do_edit_group(self) -> None:
        """Changes the owner, and with the use cases the links of every version."""
        group = ModelGroup.objects.get(pk=self.chance.choice(self.groups).pk)
        groups.edit(
            actor=self.people.engineer.actor,
            group_id=group.pk,
            revision=group.revision,
            project=self.home,
            owner=self.chance.choice([self.people.owner, self.people.scientist, None]),
            use_cases=self.chance.sample(self.cases, self.chance.randint(0, 2)),
        )

    def do_rename_person(self) -> None:
        people.edit_person(actor=SYSTEM, user=self.people.owner, display_name=f"Ms {self.chance.random()}")

    def do_move_project(self) -> None:
        line = organisation.create_line_of_business(actor=SYSTEM, name=f"Line {self.chance.random()}")
        organisation.edit_project(actor=SYSTEM, project=self.home, name="Home", line_of_business=line)

    def do_rename_line(self) -> None:
        self.home.refresh_from_db()
        organisation.edit_line_of_business(
            actor=SYSTEM, line_of_business=self.home.line_of_business, name=f"Line {self.chance.random()}"
        )

    def do_retire(self) -> None:
        if self.chance.random() < 0.3:
            retirement.retire(
                actor=self.people.officer.actor,
                subject_type=ModelVersion,
                subject_id=self.version().pk,
                reason="Never used.",
            )

    def do_raw_sql(self) -> None:
        """What no service does, and nobody is named for."""
        value = f"by hand {self.chance.random()}"
        with transaction.atomic():
            sql("UPDATE registry_modelversion SET owner_name = %s WHERE mod(id, 2) = 0", value)
            with as_replica():
                sql("UPDATE governance_stagerecord SET audit_user = %s WHERE mod(id, 3) = 0", value)
                sql("UPDATE governance_stagerecord SET outdated_at = clock_timestamp() WHERE mod(id, 4) = 0")
                sql("UPDATE registry_modelversion SET risk_rating = 'low' WHERE mod(id, 5) = 0")

    def do_unlink(self) -> None:
        sql(
            "DELETE FROM registry_versionusecase WHERE id = (SELECT id FROM registry_versionusecase"
            " ORDER BY random() LIMIT 1)"
        )


THINGS = sorted(name for name in vars(Walk) if name.startswith("do_"))
