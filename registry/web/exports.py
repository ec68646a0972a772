"""Lists as files: the rows of a page under the same filters as CSV, with a column per custom attribute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.generic import View

from portal.core.csv_export import streamed
from portal.core.errors import InvalidInput
from portal.core.views import CompleteFile, SignedIn

from ..choices import ObjectKind
from ..selectors import attributes, catalogue, resources
from ..selectors.exports import GROUP_COLUMNS, USE_CASE_COLUMNS, group_row, use_case_row, with_attributes
from .filters import GroupFilter, UseCaseFilter

_BATCH = 500
SHOWN, ALL = "attributes", "all"


def complete(kind: ObjectKind, columns: Sequence[str], row_of: Callable[[Any], dict[str, Any]]) -> CompleteFile:
    """Return the file of a list that holds every field and a column per active custom attribute."""
    sheet = attributes.sheet(kind)
    return (
        (*columns, *sheet.columns),
        lambda rows: with_attributes(rows.iterator(chunk_size=_BATCH), row_of, sheet),
    )


class ListFile(SignedIn, View):
    """Every row that matches; `attributes=all` adds the columns of archived attributes. No cell becomes a formula."""

    kind: ClassVar[ObjectKind]
    filter_class: ClassVar[type[Any]]
    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def rows(self) -> QuerySet[Any]:
        """Return every row the actor may see."""
        raise NotImplementedError

    def row(self, row: Any) -> dict[str, Any]:
        """Return a row by its columns."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        chosen = self.filter_class(request.GET or None, queryset=self.rows(), request=request)
        if chosen.is_bound and not chosen.form.is_valid():
            raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
        sheet = attributes.sheet(self.kind, archived=request.GET.get(SHOWN) == ALL)
        rows = chosen.qs.iterator(chunk_size=_BATCH)
        return streamed(
            f"{self.name}-{timezone.now():%Y-%m-%d}.csv",
            (*self.columns, *sheet.columns),
            with_attributes(rows, self.row, sheet),
        )


class UseCaseFile(ListFile):
    kind, filter_class = ObjectKind.USE_CASE, UseCaseFilter
    name, columns = "use-cases", USE_CASE_COLUMNS

    def rows(self) -> QuerySet[Any]:
        return catalogue.use_cases(self.actor)

    def row(self, row: Any) -> dict[str, Any]:
        return use_case_row(row)


class GroupFile(ListFile):
    kind, filter_class = ObjectKind.MODEL_GROUP, GroupFilter
    name, columns = "model-groups", GROUP_COLUMNS

    def rows(self) -> QuerySet[Any]:
        return resources.model_groups(self.actor).order_by("name", "pk")

    def row(self, row: Any) -> dict[str, Any]:
        return group_row(row)
