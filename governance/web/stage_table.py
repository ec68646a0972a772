"""The model stage governance table, as a page and as a file."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.generic import View

from portal.core.actors import Actor
from portal.core.csv_export import streamed
from portal.core.errors import InvalidInput
from portal.core.views import SignedIn, TablePage
from registry.choices import ObjectKind
from registry.selectors import attributes
from registry.selectors.catalogue import HEAVY
from registry.selectors.exports import with_attributes
from registry.web.attributes import columns
from registry.web.exports import ALL, SHOWN

from ..selectors.stage_table import ATTRIBUTES, as_row, stage_table
from .filters import StageTableFilter
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

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No record yet",
            "text": "The first model version that is registered in SageMaker opens the first record.",
            "icon": "table",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(query=self.request.GET.urlencode(), **kwargs)


class StageTableFile(SignedIn, View):
    """The same rows under the same filters as CSV; metrics are JSON, and no cell can become a formula.

    Each custom attribute has a column; `attributes=all` adds those of archived ones.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        chosen = StageTableFilter(request.GET or None, queryset=_rows(self.actor), request=request)
        if chosen.is_bound and not chosen.form.is_valid():
            raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
        sheet = attributes.sheet(ObjectKind.STAGE_RECORD, archived=request.GET.get(SHOWN) == ALL)
        rows = with_attributes(chosen.qs.iterator(chunk_size=_BATCH), as_row, sheet)
        return streamed(f"stage-table-{timezone.now():%Y-%m-%d}.csv", (*ATTRIBUTES, *sheet.columns), rows)
