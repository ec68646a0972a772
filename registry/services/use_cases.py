"""Use cases: registered, edited, classified. Their stages are the lifecycle service's business."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, StaleEdit, WrongState
from portal.core.marks import mark, refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..choices import DocumentKind, ObjectKind, RiskClass, Stage
from ..models import Classification, Project, PublicNumber, UseCase, UseCaseDocument, User
from . import changes, classified, positions
from .attribute_values import clean


@dataclass(frozen=True)
class UseCaseText:
    """What people write about a use case."""

    name: str
    intended_purpose: str
    description: str = ""
    business_owner: str = ""
    model_owner: User | None = None
    next_review_on: date | None = None


def create(
    *, actor: Actor, project: Project, text: UseCaseText, attributes: Mapping[str, object] | None = None
) -> UseCase:
    """Insert a use case at POC, pending, with the next public id.

    Runs in the caller's operation, which opens its ledger. Raises Forbidden without a registering role on the
    project, InvalidInput naming the fields, also a custom attribute that is required and was left out.
    """
    require(actor, Act.REGISTER_USE_CASE, project.pk)
    if actor.user_id is None:
        raise InvalidInput("A use case is registered by a person.")
    use_case = UseCase(
        number=0,
        project=project,
        registered_by_id=actor.user_id,
        **_values(text),
    )
    use_case.attributes = clean(ObjectKind.USE_CASE, attributes or {}, project_id=project.pk)
    _validated(use_case, project)
    use_case.number = PublicNumber.take("UC")
    positions.enter(use_case)
    return use_case


def edit(
    *,
    actor: Actor,
    use_case_id: int,
    revision: int,
    text: UseCaseText,
    attributes: Mapping[str, object] | None = None,
) -> UseCase:
    """Replace what people wrote about a use case.

    `attributes` are values of custom attributes by key, None for one to take away; left out, all stay as they are.

    Raises NotFound, Forbidden, StaleEdit when somebody edited it since `revision`, WrongState once retired,
    InvalidInput naming the fields.
    """
    with operation(actor, "edit use case"):
        use_case = _editable(actor, use_case_id, Act.EDIT_USE_CASE, revision)
        values = _values(text)
        if is_review_overdue(use_case) and text.next_review_on != use_case.next_review_on:
            raise InvalidInput(
                "Some fields need your attention.",
                errors={
                    "next_review_on": ["Its review is overdue: record it, or put it off with a reason, in Reviews."]
                },
            )
        changed = [name for name, value in values.items() if getattr(use_case, name) != value]
        for name, value in values.items():
            setattr(use_case, name, value)
        _validated(use_case, use_case.project)
        if attributes is not None:
            use_case.attributes = values["attributes"] = clean(
                ObjectKind.USE_CASE, attributes, current=use_case.attributes, project_id=use_case.project_id
            )
        use_case.save(update_fields=list(values))
        changes.tell(actor=actor, what=use_case, fields=changed, why="The use case was edited.")
        return _revised(use_case)


def classify(
    *,
    actor: Actor,
    use_case_id: int,
    risk_class: RiskClass,
    reason: str,
    confirmed: Classification | None = None,
    read_mark: str | None = None,
) -> UseCase:
    """Set the AI Act class of a use case, with the reason, on a governance officer's word.

    `confirmed` is the classification of its answers that says so (`classifications.confirm`); without one the class is
    set by hand and takes the place of whatever was confirmed or proposed.

    Raises NotFound, Forbidden, OwnUseCase for whoever registered it, WrongState once retired, InvalidInput without a
    reason, StaleEdit when its classification is not as `classified.mark_of` was read.
    """
    if not reason.strip():
        raise InvalidInput("Say why this class applies.", errors={"reason": ["A classification needs its reason."]})
    with operation(actor, reason):
        use_case = _editable(actor, use_case_id, Act.CLASSIFY_USE_CASE, None)
        refuse_unless_read(classified.mark_of(use_case), read_mark, "classification")
        if confirmed is None:
            classified.by_hand(actor=actor, use_case=use_case, risk_class=risk_class, reason=reason.strip())
        use_case.risk_class = risk_class
        use_case.risk_reason = reason.strip()
        use_case.risk_classified_by_id = actor.user_id
        use_case.risk_classified_at = timezone.now()
        use_case.save(update_fields=["risk_class", "risk_reason", "risk_classified_by", "risk_classified_at"])
        changes.tell(actor=actor, what=use_case, fields=["risk_class"], why=f"Classified anew: {reason.strip()}")
        return _revised(use_case)


def documents_mark(use_case: UseCase) -> str:
    """Return the mark of the parts of a use case's governance."""
    return mark(sorted((document.kind, document.text) for document in use_case.documents.all()))


def write_documents(
    *,
    actor: Actor,
    use_case_id: int,
    texts: Mapping[DocumentKind, str],
    read: Mapping[DocumentKind, str] | None = None,
    read_mark: str | None = None,
) -> list[UseCaseDocument]:
    """Write parts of the use case's governance; each keeps its author and time, the audit trail what it said before.

    An empty text leaves that part as it is. `read` has the `text_mark` of each part as the writer read it: a part he
    left as it was is not written, and one that somebody else wrote since is not overwritten. `read_mark` is that of all
    of them as `documents_mark` says. Raises NotFound, Forbidden, StaleEdit, WrongState once retired.
    """
    with operation(actor, "write governance documents"):
        use_case = _editable(actor, use_case_id, Act.EDIT_USE_CASE, None)
        if actor.user_id is None:
            raise InvalidInput("A document is written by a person.")
        refuse_unless_read(documents_mark(use_case), read_mark, "use case's documents")
        now = {DocumentKind(document.kind): document.text for document in use_case.documents.all()}
        wanted = {kind: same_lines(text) for kind, text in texts.items()}
        if read is not None:
            wanted = {kind: text for kind, text in wanted.items() if text_mark(text) != read.get(kind, "")}
            if any(
                text and text_mark(now.get(kind, "")) not in (read.get(kind, ""), text_mark(text))
                for kind, text in wanted.items()
            ):
                raise StaleEdit("Somebody wrote a part of these documents since you opened them. Read it first.")
        written = []
        for kind, text in wanted.items():
            if not text or now.get(kind) == text:
                continue
            document, _ = UseCaseDocument.objects.update_or_create(
                use_case=use_case, kind=kind, defaults={"text": text, "author_id": actor.user_id}
            )
            written.append(document)
        if written:
            changes.tell(actor=actor, what=use_case, fields=["documents"], why="Its documents were edited.")
        return written


def is_review_overdue(use_case: UseCase) -> bool:
    """Whether the day of the next review has passed."""
    return use_case.next_review_on is not None and use_case.next_review_on < timezone.localdate()


def text_mark(text: str) -> str:
    """Return what tells one text of a document from another: "" for none, else 16 hexadecimal digits."""
    plain = same_lines(text)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16] if plain else ""


def same_lines(text: str) -> str:
    """Return a text without outer blanks and with the line ends that browsers change put back."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _editable(actor: Actor, use_case_id: int, act: Act, revision: int | None) -> UseCase:
    use_case = access.for_update(UseCase, actor, act, pk=use_case_id)
    if revision is not None and use_case.revision != revision:
        raise StaleEdit("Somebody changed this use case since you opened it. Reload and make your change again.")
    if use_case.stage == Stage.RETIRED:
        raise WrongState(f"{use_case.public_id} is retired and does not change any more.")
    return use_case


def _values(text: UseCaseText) -> dict[str, object]:
    return {
        "name": text.name.strip(),
        "intended_purpose": text.intended_purpose.strip(),
        "description": text.description.strip(),
        "business_owner": text.business_owner.strip(),
        "model_owner": text.model_owner,
        "next_review_on": text.next_review_on,
    }


def _validated(use_case: UseCase, project: Project) -> None:
    try:
        use_case.full_clean(exclude=["number", "registered_by"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
    owner = use_case.model_owner
    if owner is not None and owner.is_service:
        raise InvalidInput(
            "Some fields need your attention.",
            errors={"model_owner": [f"{owner.username} is a service account, which owns nothing."]},
        )
    if owner is not None and not owner.actor.roles_on(project.pk):
        raise InvalidInput(
            "Some fields need your attention.",
            errors={"model_owner": [f"{owner.username} holds no role on this project."]},
        )


def _revised(use_case: UseCase) -> UseCase:
    UseCase.objects.filter(pk=use_case.pk).update(revision=F("revision") + 1)
    use_case.refresh_from_db()
    return use_case
