"""Lines of business and projects."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..models import LineOfBusiness, Project

T = TypeVar("T", LineOfBusiness, Project)


def create_line_of_business(*, actor: Actor, name: str) -> LineOfBusiness:
    """Create a line of business. Raises Forbidden, InvalidInput when the name is taken or empty."""
    require_anywhere(actor, Act.MANAGE_ACCESS)
    return _created(actor, LineOfBusiness(name=name))


def create_project(*, actor: Actor, key: str, name: str, line_of_business: LineOfBusiness) -> Project:
    """Create a project. Raises Forbidden, InvalidInput naming the fields."""
    require_anywhere(actor, Act.MANAGE_ACCESS)
    return _created(actor, Project(key=key, name=name, line_of_business=line_of_business))


def _created(actor: Actor, row: T) -> T:
    with operation(actor, f"create {row._meta.verbose_name}"):
        try:
            row.full_clean()
        except ValidationError as error:
            raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
        row.save()
        return row
