"""The model stage governance table, as a page and as a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.generic import View

from portal.core.actors import Actor
from portal.core.csv_export import streamed
from portal.core.errors import InvalidInput
from portal.core.moments import AS_OF, moment_in
from portal.core.views import CompleteFile, SignedIn, TablePage
from registry.choices import ObjectKind
from registry.selectors import attributes
from registry.selectors.catalogue import HEAVY
from registry.selectors.exports import with_attributes
from registry.web.attributes import columns
from registry.web.exports import ALL, SHOWN

from ..selectors.as_of import past_rows, stage_table_as_of
from ..selectors.stage_table import ATTRIBUTES, as_row, stage_table
from .as_of import OfThePast
from .filters import StageTableFilter
from .past_filters import PastStageTableFilter
from .past_tables import PastStageTable
from .tables import StageTable

_BATCH = 500


def _rows(actor: Actor) -> QuerySet[Any]:
    return stage_table(actor).defer(*(f"version__{name}" for name in HEAVY))


class StageTablePage(TablePage):
    template_name = "governance/stage_table.html"
    table_class = StageTable
    filter_class = StageTableFilter

    def rows(self) -> QuerySet[Any]:
        return _rows(self.actor)

    def table_arguments(self) -> dict[str, Any]:
        return {"extra_columns": columns(ObjectKind.STAGE_RECORD, lambda record: record.attributes)}

    def every_field(self) -> CompleteFile:
        sheet = attributes.sheet(ObjectKind.STAGE_RECORD)
        return (
            (*ATTRIBUTES, *sheet.columns),
            lambda rows: with_attributes(rows.iterator(chunk_size=_BATCH), as_row, sheet),
        )

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No record yet",
            "text": "The first model version that is registered in SageMaker opens the first record.",
            "icon": "table",
        }


class PastStageTablePage(OfThePast, StageTablePage):
    """The same as of a moment."""

    table_class = PastStageTable
    filter_class = PastStageTableFilter

    def rows(self) -> QuerySet[Any]:
        return stage_table_as_of(self.actor, self.moment)

    def every_field(self) -> CompleteFile:
        sheet = attributes.sheet(ObjectKind.STAGE_RECORD)
        return (
            (*ATTRIBUTES, *sheet.columns),
            lambda rows: ({**row, **sheet.cells(row["attributes"])} for row in past_rows(rows)),
        )


class StageTableOfAnyDay(View):
    """The table of today, or as of the moment its address asks for."""

    # What saved views of this address are views of.
    list_page = StageTablePage
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        page = PastStageTablePage if request.GET.get(AS_OF, "").strip() else StageTablePage
        return page.as_view()(request, *args, **kwargs)


class StageTableFile(SignedIn, View):
    """The same rows under the same filters as CSV; metrics are JSON, and no cell can become a formula.

    Each custom attribute has a column; `attributes=all` adds those of archived ones. `as_of` is the page's, too.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        moment = moment_in(request.GET)
        filters = StageTableFilter if moment is None else PastStageTableFilter
        rows = _rows(self.actor) if moment is None else stage_table_as_of(self.actor, moment)
        chosen = filters(request.GET or None, queryset=rows, request=request)
        if chosen.is_bound and not chosen.form.is_valid():
            raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
        sheet = attributes.sheet(ObjectKind.STAGE_RECORD, archived=request.GET.get(SHOWN) == ALL)
        lines: Iterable[dict[str, Any]]
        if moment is None:
            lines = with_attributes(chosen.qs.iterator(chunk_size=_BATCH), as_row, sheet)
        else:
            lines = ({**row, **sheet.cells(row["attributes"])} for row in past_rows(chosen.qs))
        name = f"stage-table-{moment or timezone.now():%Y-%m-%d}.csv"
        return streamed(name, (*ATTRIBUTES, *sheet.columns), lines)
