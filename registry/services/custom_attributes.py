"""Custom attributes: defined, edited, archived and taken away by ML admins. Their values are edited with their objects.

What is held in an attribute is a note about an object and no part of what is decided on: it is in no digest, and
changing it puts no approval in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..aws.values import plain_text
from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute, ModelGroup, UseCase
from ..models.attribute import LONGEST_CHOICE
from .attribute_values import clean

__all__ = ["RESERVED", "AttributeDefinition", "archive", "clean", "define", "delete", "edit", "restore"]

MOST_CHOICES = 100
# What the stage table, its API and its rows already call something else.
_OF_RECORDS = {
    *("id", "use_case_id", "use_case_name", "use_case_stage", "model_group", "model_version", "model_owner"),
    *("model_lob", "model_project", "model_stage", "model_status", "model_risk", "validation_metrics"),
    *("monitoring_metrics", "audit_timestamp", "audit_user", "model_package_arn", "artifact_url", "hub_artifact_url"),
    *("account", "account_id", "risk_tier", "risk_tier_source", "version", "version_id", "stage", "status"),
    *("validation_source", "validation_captured_at", "monitoring_endpoint", "monitoring_captured_at"),
    *("approved_digest", "outdated_at", "attributes", "audit_at", "revision"),
}
_OF_RESOURCES = {
    *("public_id", "line_of_business", "links", "documents", "model_groups", "model_versions", "blockers"),
    *("requirements", "search", "ordering", "cursor", "page_size", "format", "as_of"),
}
# Names that already mean something on one of the kinds; a key means the same everywhere.
RESERVED = frozenset(
    {
        *_OF_RECORDS,
        *_OF_RESOURCES,
        *(
            name
            for model in (UseCase, ModelGroup)
            for field in (*model._meta.concrete_fields, *model._meta.many_to_many)
            for name in (field.name, field.attname)
        ),
    }
)


@dataclass(frozen=True)
class AttributeDefinition:
    """What an ML admin says about an attribute. Required means: whoever edits an object next has to fill it in."""

    kind: ObjectKind
    key: str
    label: str
    type: AttributeType
    choices: tuple[str, ...] = ()
    help_text: str = ""
    is_required: bool = False
    position: int | None = None


def define(*, actor: Actor, definition: AttributeDefinition) -> CustomAttribute:
    """Add an attribute to a kind of object, last in its order unless it names a position.

    Raises Forbidden, InvalidInput naming the fields: a key that is taken or means something already, a choice without
    choices.
    """
    require(actor, Act.MANAGE_ATTRIBUTES)
    with operation(actor, "define custom attribute"), _named_refusals():
        if definition.position is None:
            highest = CustomAttribute.objects.of(definition.kind).aggregate(highest=Max("position"))["highest"]
            definition = replace(definition, position=min((highest or 0) + 1, 32_767))
        return _saved(CustomAttribute(), definition)


def edit(*, actor: Actor, attribute_id: int, revision: int, definition: AttributeDefinition) -> CustomAttribute:
    """Replace what is said about an attribute.

    Once an object has held a value, kind, key and type stay as they are, and choices may be added but not taken away
    while something holds them. Raises Forbidden, NotFound, StaleEdit when somebody edited it since `revision`,
    WrongState for what is locked, InvalidInput naming the fields.
    """
    with operation(actor, "edit custom attribute"), _named_refusals():
        attribute = _locked(actor, attribute_id, revision)
        if attribute.used_at is not None:
            said = {"kind": definition.kind, "key": definition.key.strip(), "type": definition.type}
            locked = [name for name, value in said.items() if getattr(attribute, name) != value]
            if locked:
                raise WrongState(
                    "This attribute is in use: its kind, key and type stay. Archive it and define another one.",
                    errors={name: ["This stays, because the attribute has been used."] for name in locked},
                )
        attribute.revision += 1
        return _saved(attribute, definition)


def archive(*, actor: Actor, attribute_id: int, revision: int) -> CustomAttribute:
    """Take an attribute out of forms and lists; what objects hold stays, read only, and can still be exported.

    Raises Forbidden, NotFound, StaleEdit, WrongState when it is archived already.
    """
    return _archived(actor, attribute_id, revision, archived=True)


def restore(*, actor: Actor, attribute_id: int, revision: int) -> CustomAttribute:
    """Bring an archived attribute back. Raises Forbidden, NotFound, StaleEdit, WrongState when it is not archived."""
    return _archived(actor, attribute_id, revision, archived=False)


def delete(*, actor: Actor, attribute_id: int, revision: int | None = None) -> None:
    """Take away an attribute that no object has ever held. Raises Forbidden, NotFound, StaleEdit, WrongState."""
    with operation(actor, "delete custom attribute"), _named_refusals():
        attribute = _locked(actor, attribute_id, revision)
        if attribute.used_at is not None:
            raise WrongState("This attribute has been used, and history keeps what it held. Archive it instead.")
        attribute.delete()


def _archived(actor: Actor, attribute_id: int, revision: int, *, archived: bool) -> CustomAttribute:
    with operation(actor, f"{'archive' if archived else 'restore'} custom attribute"):
        attribute = _locked(actor, attribute_id, revision)
        if attribute.is_archived == archived:
            raise WrongState(f"This attribute is {'already' if archived else 'not'} archived.")
        attribute.is_archived = archived
        attribute.revision += 1
        attribute.save(update_fields=["is_archived", "revision"])
        return attribute


def _locked(actor: Actor, attribute_id: int, revision: int | None) -> CustomAttribute:
    require(actor, Act.MANAGE_ATTRIBUTES)
    attribute = CustomAttribute.objects.select_for_update().filter(pk=attribute_id).first()
    if attribute is None:
        raise NotFound("There is no such custom attribute.")
    if revision is not None and attribute.revision != revision:
        raise StaleEdit("Somebody changed this attribute since you opened it. Reload and make your change again.")
    return attribute


def _saved(attribute: CustomAttribute, definition: AttributeDefinition) -> CustomAttribute:
    choices = list(dict.fromkeys(choice.strip() for choice in definition.choices))
    attribute.kind, attribute.type = definition.kind, definition.type
    attribute.key, attribute.label = definition.key.strip(), definition.label.strip()
    attribute.choices, attribute.help_text = choices, definition.help_text.strip()
    attribute.is_required = definition.is_required
    if definition.position is not None:
        attribute.position = definition.position
    errors = _problems(attribute)
    try:
        attribute.full_clean(exclude=["choices"], validate_constraints=False)
    except ValidationError as error:
        taken = error.message_dict.pop("__all__", None)
        errors = {**error.message_dict, **errors}
        if taken:
            errors.pop("__all__", None)
            errors["key"] = ["This kind of object already has an attribute with this key."]
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)
    attribute.save()
    return attribute


def _problems(attribute: CustomAttribute) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    choices = attribute.choices
    if attribute.key in RESERVED:
        errors["key"] = ["This already means something else; choose another key."]
    for name in ("label", "help_text"):
        if "\0" in getattr(attribute, name) or plain_text(getattr(attribute, name)) != getattr(attribute, name):
            errors[name] = ["Null characters and halves of characters are not allowed."]
    if attribute.type != AttributeType.CHOICE:
        if choices:
            errors["choices"] = ["Only an attribute of type choice has choices."]
    elif not choices or not all(choices):
        errors["choices"] = ["Give at least one choice, and none that is empty."]
    elif len(choices) > MOST_CHOICES:
        errors["choices"] = [f"Give at most {MOST_CHOICES} choices."]
    elif any(len(choice) > LONGEST_CHOICE or plain_text(choice) != choice for choice in choices):
        errors["choices"] = [f"Give plain text of at most {LONGEST_CHOICE} characters each."]
    return errors


@contextmanager
def _named_refusals() -> Iterator[None]:
    """Say in words what only the database can know for sure: it sees every object, and what happens meanwhile."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if constraint == "attribute_choice_used":
            raise WrongState(
                "A choice you took away is still in use. Give it back, or change what holds it first.",
                errors={"choices": ["One of the choices taken away is still in use."]},
            ) from error
        if constraint == "attribute_locked":
            raise WrongState("This attribute has been used meanwhile: its kind, key and type stay.") from error
        if constraint == "custom_attribute_once":
            raise InvalidInput(
                "Some fields need your attention.",
                errors={"key": ["This kind of object already has an attribute with this key."]},
            ) from error
        raise
