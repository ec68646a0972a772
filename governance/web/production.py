"""What ran in production on a date, and on whose word: a page and a file."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.generic import View

from portal.core.csv_export import streamed
from portal.core.errors import InvalidInput
from portal.core.moments import moment_in
from portal.core.views import CompleteFile, SignedIn

from ..selectors import production
from .as_of import OfThePast
from .past_filters import ProductionFilter
from .past_tables import ProductionTable

_BATCH = 500


class InProduction(OfThePast):
    template_name = "governance/in_production.html"
    table_class = ProductionTable
    filter_class = ProductionFilter

    def rows(self) -> QuerySet[Any]:
        return production.in_production(self.actor, self.moment).order_by("model_group", "-model_version", "row_key")

    def table_arguments(self) -> dict[str, Any]:
        return {"moment": self.moment}

    # Approvals and moves behind a row are read for a page at a time; the file has them all.
    exports_columns = False

    def every_field(self) -> CompleteFile:
        return production.COLUMNS, lambda rows: map(
            production.running_row, production.on_whose_word(rows.iterator(chunk_size=_BATCH), self.moment)
        )

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nothing ran in production",
            "text": "A version appears here from the moment its production approval is given.",
            "icon": "rocket",
        }


class InProductionFile(SignedIn, View):
    """The same rows under the same filters as CSV, with every decision and move behind them as JSON."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        moment = moment_in(request.GET) or timezone.now()
        rows = production.in_production(self.actor, moment).order_by("model_group", "-model_version", "row_key")
        chosen = ProductionFilter(request.GET or None, queryset=rows, request=request)
        if chosen.is_bound and not chosen.form.is_valid():
            raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
        running = production.on_whose_word(chosen.qs, moment)
        return streamed(
            f"in-production-{moment:%Y-%m-%d}.csv", production.COLUMNS, map(production.running_row, running)
        )
