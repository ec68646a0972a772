"""Several counts in one question say what each count alone would say."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.core.counting import count_together
from registry.models import LineOfBusiness
from registry.services import organisation
from tests.factories.people import SYSTEM

pytestmark = pytest.mark.django_db


def test_lists_are_counted_together() -> None:
    for name in ("Cards", "Loans", "Lending"):
        organisation.create_line_of_business(actor=SYSTEM, name=name)
    lines = LineOfBusiness.objects.order_by("name")
    lists = {
        "all": lines,
        "with_l": lines.filter(name__startswith="L"),
        "first_two": lines[:2],
        "nothing": lines.none(),
        "hostile": lines.filter(name="%s'); --"),
        "distinct": lines.filter(name__contains="s").distinct(),
    }
    with CaptureQueriesContext(connection) as asked:
        counts = count_together(**lists)
    assert counts == {name: rows.count() for name, rows in lists.items()}
    assert len(asked) == 1
    assert count_together(2, **lists)["all"] == 2
    assert count_together() == {}
    assert count_together(nothing=lines.none()) == {"nothing": 0}
