"""Custom attributes as they are read: definitions, values as people see them, and who holds which value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform

from portal.core.actors import Actor

from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute, Project, User
from .scope import people_of

# Types whose values have an order, so that a filter can ask for at least and at most.
RANGED = (AttributeType.NUMBER, AttributeType.DATE)
AT_LEAST, AT_MOST = "min", "max"


def definitions(actor: Actor) -> QuerySet[CustomAttribute]:
    """Return every attribute of every kind, as everybody may see them."""
    return CustomAttribute.objects.visible_to(actor)


def every(kind: ObjectKind) -> list[CustomAttribute]:
    """Return the attributes of a kind, archived ones included, in the order in which people see them."""
    return list(CustomAttribute.objects.of(kind))


def candidates(project_id: int | None) -> QuerySet[User]:
    """Return whom an attribute of something in a project may name; of something in none, every active person."""
    if project_id is None:
        return User.objects.people().filter(is_active=True).order_by("display_name", "username")
    return people_of(Project.objects.filter(pk=project_id))


def candidates_or(project_id: int | None, held: object) -> QuerySet[User]:
    """Return the same and who is named now, so that a form can show and keep him."""
    rows = candidates(project_id)
    if not isinstance(held, int):
        return rows
    named = User.objects.filter(Q(pk__in=rows.order_by().values("pk")) | Q(pk=held))
    return named.order_by("display_name", "username")


def person_named(username: str, project_id: int | None, held: object = None) -> int | None:
    """Return the id of a candidate, or of who is named now, by sign-in name."""
    found = User.objects.filter(username=username).values_list("pk", flat=True).first()
    if found is None or found == held:
        return found
    return candidates(project_id).filter(pk=found).values_list("pk", flat=True).first()


@dataclass(frozen=True)
class Sheet:
    """The attributes of one kind as a list, a file or a page shows them; made once, in two queries at most."""

    attributes: tuple[CustomAttribute, ...]
    people: Mapping[int, User]

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads of the columns in a file: `attr.<key>`."""
        return tuple(attribute.parameter for attribute in self.attributes)

    def values(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an object holds by key, people by sign-in name; what is not set is left out."""
        return {
            attribute.key: self._plain(attribute, held[attribute.key])
            for attribute in self.attributes
            if attribute.key in held
        }

    def cells(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same by column; what is not set is None."""
        return {
            attribute.parameter: self._plain(attribute, held[attribute.key]) if attribute.key in held else None
            for attribute in self.attributes
        }

    def shown(self, held: Mapping[str, Any]) -> list[tuple[CustomAttribute, Any]]:
        """Return every attribute with its value as a page shows it: a number, a day, a text, a person, or None.

        Archived ones are there as long as something is held.
        """
        return [
            (attribute, self.worded(attribute, held.get(attribute.key)))
            for attribute in self.attributes
            if not attribute.is_archived or attribute.key in held
        ]

    def worded(self, attribute: CustomAttribute, value: Any) -> Any:
        """Return a stored value as a page shows it."""
        if value is None:
            return None
        if attribute.type == AttributeType.USER:
            return self.people.get(value)
        return date.fromisoformat(value) if attribute.type == AttributeType.DATE else value

    def _plain(self, attribute: CustomAttribute, value: Any) -> Any:
        if attribute.type != AttributeType.USER:
            return value
        person = self.people.get(value)
        return person.username if person else None


def sheet(kind: ObjectKind, *, archived: bool = False) -> Sheet:
    """Return the sheet of a kind; archived attributes are on it when asked for."""
    rows = [attribute for attribute in every(kind) if archived or not attribute.is_archived]
    people: dict[int, User] = {}
    if any(attribute.type == AttributeType.USER for attribute in rows):
        people = User.objects.only("username", "display_name").in_bulk()
    return Sheet(tuple(rows), people)


def holding(rows: QuerySet[Any], attribute: CustomAttribute, value: str | Decimal | date) -> QuerySet[Any]:
    """Return those of the rows whose attribute is exactly this; a person is given by sign-in name."""
    if attribute.type == AttributeType.USER:
        found = User.objects.filter(username=value).values_list("pk", flat=True).first()
        return rows.none() if found is None else rows.filter(attributes__contains={attribute.key: found})
    return rows.filter(attributes__contains={attribute.key: _stored(value)})


def within(rows: QuerySet[Any], attribute: CustomAttribute, bound: str, value: Decimal | date) -> QuerySet[Any]:
    """Return those of the rows whose number or day is at least (AT_LEAST) or at most (AT_MOST) this."""
    name = f"attribute_{attribute.key}"
    comparison = {AT_LEAST: "gte", AT_MOST: "lte"}[bound]
    compared = rows.alias(**{name: KeyTransform(attribute.key, "attributes")})
    return compared.filter(**{f"{name}__{comparison}": _stored(value)})


def named_in(rows: QuerySet[Any], attribute: CustomAttribute) -> list[tuple[str, str]]:
    """Return whom the attribute names on any of the rows, as (sign-in name, name) in the order of names."""
    held = rows.order_by().values_list(KeyTransform(attribute.key, "attributes"), flat=True).distinct()
    people = User.objects.filter(pk__in=[pk for pk in held if pk is not None]).order_by("display_name", "username")
    return [(person.username, str(person)) for person in people]


def _stored(value: str | Decimal | date) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
