"""The clock that an owner of the tables may set back: what is written then says so, and nobody else's moves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from governance.models import AuditEvent
from governance.selectors.audit import verify
from registry.models import LineOfBusiness
from registry.services import organisation
from tests.factories.people import SYSTEM
from tests.refusals import sql

from .test_database_roles import as_the_portal, own, role

__all__ = ["as_the_portal", "own", "role"]


def set_back(interval: str) -> None:
    sql("SELECT set_config('app.clock_behind', %s, true)", interval)


def last(line: LineOfBusiness) -> AuditEvent:
    return AuditEvent.objects.filter(chain=f"registry_lineofbusiness:{line.pk}").latest("sequence")


def history_of(line: LineOfBusiness) -> list[tuple[datetime, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT valid_from, valid_to = 'infinity' FROM governance_history_lineofbusiness WHERE id = %s ORDER BY 1",
            [line.pk],
        )
        return list(cursor.fetchall())


def is_about(moment: datetime, days: float) -> bool:
    return abs(timezone.now() - timedelta(days=days) - moment) < timedelta(minutes=5)


@pytest.mark.django_db
def test_what_an_owner_writes_with_his_clock_set_back_is_of_then_and_says_when_it_was_written() -> None:
    set_back("40 days")
    line = organisation.create_line_of_business(actor=SYSTEM, name="Trade finance")
    event = last(line)
    assert is_about(event.at, 40)
    assert is_about(datetime.fromisoformat(event.changes["(written at)"]), 0)
    assert event.changes["name"] == "Trade finance"
    [(since, stands)] = history_of(line)
    assert is_about(since, 40)
    assert stands
    set_back("10 days")
    organisation.edit_line_of_business(actor=SYSTEM, line_of_business=line, name="Trade")
    changed = last(line)
    assert is_about(changed.at, 10)
    then, written = changed.changes["(written at)"]
    assert datetime.fromisoformat(then) == changed.at
    assert is_about(datetime.fromisoformat(written), 0)
    assert verify().is_intact


@pytest.mark.django_db
def test_a_chain_never_goes_back_nor_forward() -> None:
    line = organisation.create_line_of_business(actor=SYSTEM, name="Custody")
    first = last(line).at
    set_back("30 days")
    organisation.edit_line_of_business(actor=SYSTEM, line_of_business=line, name="Custody services")
    assert last(line).at == first
    set_back("-30 days")
    future = organisation.create_line_of_business(actor=SYSTEM, name="Leasing")
    assert is_about(last(future).at, 0)
    assert "(written at)" not in last(future).changes


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["", "0 seconds"])
def test_a_clock_that_nobody_set_back_leaves_no_word(setting: str) -> None:
    set_back(setting)
    line = organisation.create_line_of_business(actor=SYSTEM, name="Factoring")
    assert is_about(last(line).at, 0)
    assert "(written at)" not in last(line).changes


@pytest.mark.django_db
def test_the_guards_that_read_the_day_read_the_same_clock() -> None:
    with connection.cursor() as cursor:
        for function in ("governance_decision_entitled", "governance_finding_guard", "governance_attributes_fit"):
            cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [function])
            row = cursor.fetchone()
            assert row is not None
            assert "governance_clock_behind()" in row[0]
        set_back("40 days")
        cursor.execute("SELECT ((now() - governance_clock_behind()) AT TIME ZONE 'UTC')::date")
        assert cursor.fetchone() == ((timezone.now() - timedelta(days=40)).date(),)


def test_the_portals_own_role_cannot_set_it_back(as_the_portal: str) -> None:
    sql("SELECT set_config('app.clock_behind', '40 days', false)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user::text, governance_clock_behind()")
        assert cursor.fetchone() == (as_the_portal, timedelta(0))
    line = organisation.create_line_of_business(actor=SYSTEM, name="By the portal")
    assert is_about(last(line).at, 0)
    assert "(written at)" not in last(line).changes
    [(since, _)] = history_of(line)
    assert is_about(since, 0)
