"""Registering a use case: the registry's row and its ledger, in one operation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, may
from registry.choices import DocumentKind
from registry.models import Project, UseCase
from registry.services import classifications, groups, use_case_drafts
from registry.services import use_cases as registry_use_cases
from registry.services.use_cases import UseCaseText

from ..selectors.standing import approved_groups
from . import lifecycle


@dataclass(frozen=True)
class AiActAnswers:
    """Answers to the questionnaire of an edition, as `registry.services.classifications.propose` takes them."""

    answers: Mapping[str, Any]
    edition: str
    reason: str = ""
    derogation_reason: str = ""


@dataclass(frozen=True)
class NewUseCase:
    """Everything said about a use case when it is registered; the three mandatory parts come first."""

    project_id: int
    text: UseCaseText
    attributes: Mapping[str, object] = field(default_factory=dict)
    group_ids: Collection[int] = ()
    documents: Mapping[DocumentKind, str] = field(default_factory=dict)
    ai_act: AiActAnswers | None = None


def register(
    *, actor: Actor, project_id: int, text: UseCaseText, attributes: Mapping[str, object] | None = None
) -> UseCase:
    """Register a use case on a project the actor sees: POC, pending.

    Raises NotFound for a project he does not see, Forbidden, InvalidInput naming the fields.
    """
    with operation(actor, "register use case"):
        project = access.get(Project, actor, pk=project_id)
        use_case = registry_use_cases.create(actor=actor, project=project, text=text, attributes=attributes)
        lifecycle.begin_use_case(actor=actor, use_case=use_case)
        return use_case


def register_draft(*, actor: Actor, draft_id: int, revision: int, new: NewUseCase) -> UseCase:
    """Register what a draft has grown to, all of it or nothing, and let the draft go.

    The use case is registered as `register` does it, the model groups named serve it, its documents are written, and
    the answers about the AI Act are handed on to be classified.

    Raises NotFound for a draft there is not (also one registered already) or a project he does not see, Forbidden,
    StaleEdit when the draft was saved since `revision`, InvalidInput naming the fields: those of the services called,
    and `groups` for one whose approvals would end by it unless he may edit model groups.
    """
    with operation(actor, "register use case"):
        use_case_drafts.take(actor=actor, draft_id=draft_id, revision=revision)
        use_case = register(actor=actor, project_id=new.project_id, text=new.text, attributes=new.attributes)
        if new.group_ids:
            _require_no_approval_ends(actor, use_case, new.group_ids)
            groups.serve(actor=actor, use_case=use_case, group_ids=new.group_ids)
        if any(text.strip() for text in new.documents.values()):
            registry_use_cases.write_documents(actor=actor, use_case_id=use_case.pk, texts=new.documents)
        if new.ai_act is not None and new.ai_act.answers:
            classifications.propose(
                actor=actor,
                use_case_id=use_case.pk,
                answers=new.ai_act.answers,
                edition=new.ai_act.edition,
                reason=new.ai_act.reason,
                derogation_reason=new.ai_act.derogation_reason,
            )
        use_case.refresh_from_db()
        return use_case


def _require_no_approval_ends(actor: Actor, use_case: UseCase, group_ids: Collection[int]) -> None:
    # An approval was given for the use cases a version served then: another one is another question.
    names = [] if may(actor, Act.EDIT_GROUP, use_case.project_id) else approved_groups(group_ids)
    if names:
        text = (
            f"Versions of {', '.join(names)} are approved for other use cases, and would have to be approved again."
            " Register without it; an ML engineer or the model owner then links it on its page."
        )
        raise InvalidInput("Some fields need your attention.", errors={"groups": [text]})
