"""Lines of business and projects."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.marks import mark, refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..models import LineOfBusiness, Project

T = TypeVar("T", LineOfBusiness, Project)


def create_line_of_business(*, actor: Actor, name: str) -> LineOfBusiness:
    """Create a line of business. Raises Forbidden, InvalidInput when the name is taken or empty."""
    require(actor, Act.MANAGE_ACCESS)
    return _created(actor, LineOfBusiness(name=name))


def create_project(*, actor: Actor, key: str, name: str, line_of_business: LineOfBusiness) -> Project:
    """Create a project. Raises Forbidden, InvalidInput naming the fields."""
    require(actor, Act.MANAGE_ACCESS)
    return _created(actor, Project(key=key, name=name, line_of_business=line_of_business))


def mark_of(row: LineOfBusiness | Project) -> str:
    """Return the mark of what can be edited of a line of business or a project."""
    return mark(row.name, row.line_of_business_id if isinstance(row, Project) else None)


def edit_line_of_business(
    *, actor: Actor, line_of_business: LineOfBusiness, name: str, read_mark: str | None = None
) -> LineOfBusiness:
    """Rename a line of business. Raises Forbidden, InvalidInput when the name is taken or empty, StaleEdit."""
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "edit line of business"):
        row = LineOfBusiness.objects.select_for_update().get(pk=line_of_business.pk)
        refuse_unless_read(mark_of(row), read_mark, "line of business")
        row.name = name
        return _saved(row)


def edit_project(
    *, actor: Actor, project: Project, name: str, line_of_business: LineOfBusiness, read_mark: str | None = None
) -> Project:
    """Rename a project or move it to another line of business; its key stays.

    Raises Forbidden, InvalidInput, StaleEdit when it is not as its `mark_of` was read.
    """
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "edit project"):
        row = Project.objects.select_for_update().get(pk=project.pk)
        refuse_unless_read(mark_of(row), read_mark, "project")
        row.name, row.line_of_business = name, line_of_business
        return _saved(row)


def _created(actor: Actor, row: T) -> T:
    with operation(actor, f"create {row._meta.verbose_name}"):
        return _saved(row)


def _saved(row: T) -> T:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
    row.save()
    return row
