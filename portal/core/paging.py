"""Pages of a list whose cost does not grow with what lies behind them: nothing is counted to the end of a long list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

# As far as a list is counted and paged through; who wants more narrows it, or takes the file.
COUNTED = 10_000
PAGE_SIZES = (25, 50, 100)


def counted(rows: Any, most: int) -> int:
    """Return how many rows there are, but never more than one above `most`: the database stops there."""
    if not isinstance(rows, QuerySet):
        return min(len(rows), most + 1)
    # A row counted over what is joined for showing or sorting it only would cost without telling more.
    return int(rows.order_by()[: most + 1].count())


if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class CappedPaginator(_Paginator):
    """Pages over at most COUNTED rows; `has_more` says that the list goes on behind them."""

    # How many rows there are, where somebody knows it already.
    found: int | None = None

    @cached_property
    def _found(self) -> int:
        if self.found is not None:
            return self.found
        data = getattr(self.object_list, "data", self.object_list)
        return counted(getattr(data, "data", data), COUNTED)

    @cached_property
    def count(self) -> int:
        return min(self._found, COUNTED)

    @property
    def has_more(self) -> bool:
        """Whether there are rows behind the last that can be paged to."""
        return self._found > COUNTED


def page_size(given: str, usual: int) -> int:
    """Return the rows per page an address asks for, or the usual number: only certain numbers are offered."""
    sizes = {str(size): size for size in (*PAGE_SIZES, usual)}
    return sizes.get(given, usual)


def page_number(given: str) -> int:
    """Return the page an address asks for; anything that is no number is the first."""
    return int(given) if given.isdecimal() and given.isascii() and 0 < len(given) < 10 else 1
