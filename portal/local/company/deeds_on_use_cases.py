"""What happens to use cases: each function is one step of the story, carried out by the services."""

from __future__ import annotations

from datetime import timedelta

from governance.services import approvals
from governance.services import use_cases as governed_use_cases
from portal.core.vocabulary import RiskClass, Stage
from registry.models import UseCase
from registry.services import classifications, use_cases
from registry.services.use_cases import UseCaseText

from .deeds_on_models import give_word
from .evidence_files import attach
from .scene import Scene
from .use_cases import UseCasePlan, documents_of
from .words import NOTES, pick


def _scientist(scene: Scene, plan: UseCasePlan) -> str:
    return scene.plan_of_project(plan.project).scientists[plan.scientist]


def use_case(scene: Scene, *, use_case: str) -> None:
    """A scientist registers it."""
    plan = scene.plan_of_use_case(use_case)
    project = scene.project(plan.project)
    if UseCase.objects.filter(project=project, name=plan.name).exists():
        return
    staff = scene.plan_of_project(plan.project)
    governed_use_cases.register(
        actor=scene.actor(_scientist(scene, plan)),
        project_id=project.pk,
        text=UseCaseText(
            name=plan.name,
            intended_purpose=plan.purpose,
            description=plan.description,
            business_owner=plan.business_owner,
            model_owner=scene.user(staff.owner),
            next_review_on=None if plan.review is None else (scene.now + timedelta(days=plan.review)).date(),
        ),
    )


def questionnaire(scene: Scene, *, use_case: str) -> None:
    """The scientist answers the AI Act questionnaire."""
    plan = scene.plan_of_use_case(use_case)
    classifications.propose(
        actor=scene.actor(_scientist(scene, plan)),
        use_case_id=scene.use_case(use_case).pk,
        answers=plan.all_answers(),
        reason="Answered with the business owner.",
        derogation_reason=plan.derogation,
    )


def confirm(scene: Scene, *, use_case: str, by: str) -> None:
    """An officer confirms what the answers lead to."""
    row = scene.use_case(use_case).classifications.proposed().first()
    if row is not None:
        classifications.confirm(actor=scene.actor(by), classification_id=row.pk)


def classify(scene: Scene, *, use_case: str, by: str) -> None:
    """An officer classifies it by hand."""
    plan = scene.plan_of_use_case(use_case)
    use_cases.classify(
        actor=scene.actor(by),
        use_case_id=scene.use_case(use_case).pk,
        risk_class=RiskClass.MINIMAL,
        reason=plan.by_hand,
    )


def documents(scene: Scene, *, use_case: str) -> None:
    """The scientist writes the five documents, or as many as he got to."""
    plan = scene.plan_of_use_case(use_case)
    use_cases.write_documents(
        actor=scene.actor(_scientist(scene, plan)),
        use_case_id=scene.use_case(use_case).pk,
        texts=documents_of(plan),
    )


def use_case_evidence(scene: Scene, *, use_case: str, stage: Stage) -> None:
    """The scientist attaches a file."""
    plan = scene.plan_of_use_case(use_case)
    subject = UseCase.objects.get(pk=scene.use_case(use_case).pk)
    turn = 0 if stage is Stage.QA else 3
    attach(scene.actor(_scientist(scene, plan)), subject, plan.name, turn)


def ask_use_case(scene: Scene, *, use_case: str, stage: Stage) -> None:
    """The scientist asks for approval, unless models keep the use case where it was."""
    plan = scene.plan_of_use_case(use_case)
    subject = UseCase.objects.get(pk=scene.use_case(use_case).pk)
    if subject.stage == stage and subject.status in ("pending", "rejected"):
        approvals.submit(
            actor=scene.actor(_scientist(scene, plan)),
            subject_type=UseCase,
            subject_id=subject.pk,
            note=pick(NOTES, plan.name, stage),
        )


def use_case_word(scene: Scene, *, use_case: str, stage: Stage, verdict: str, comment: str, by: str) -> None:
    """One of those who decide gives his word."""
    plan = scene.plan_of_use_case(use_case)
    subject = UseCase.objects.get(pk=scene.use_case(use_case).pk)
    request = scene.open_request(subject)
    if request is not None and request.stage == stage:
        owner = scene.plan_of_project(plan.project).owner
        give_word(scene, request, verdict, comment, by, owner)
