"""Statements that are composed once: they return, insert and change what the ORM would."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from portal.core import kept
from registry.models import AwsAccount, LineOfBusiness, Project

BY_ID = kept.Kept(lambda pk: Project.objects.select_related("line_of_business").filter(pk=pk), int)
LOCKED = kept.Kept(lambda key: Project.objects.select_for_update(no_key=True).filter(key=key), str)
SERVING = kept.Kept(AwsAccount.objects.serving, str)
BARE = kept.Kept(lambda pk: Project.objects.only("key").filter(pk=pk), int)


@pytest.fixture
def project() -> Project:
    line = kept.insert(LineOfBusiness(name="Factoring"))
    return kept.insert(Project(key="factoring", name="Factoring", line_of_business=line))


@pytest.mark.django_db
def test_rows_are_those_of_the_query_whatever_the_parameter(project: Project) -> None:
    other = kept.insert(Project(key="leasing", name="Leasing", line_of_business=project.line_of_business))
    for wanted in (project, other, project):
        found = BY_ID.get(wanted.pk)
        assert (found, found.name, found._state.adding) == (wanted, wanted.name, False)
        with CaptureQueriesContext(connection) as asked:
            assert found.line_of_business.name == "Factoring"
        assert len(asked) == 0
    assert BY_ID.all(other.pk + 1) == []
    assert BY_ID.first(other.pk + 1) is None
    with pytest.raises(Project.DoesNotExist):
        BY_ID.get(other.pk + 1)
    assert BARE.get(other.pk).get_deferred_fields() >= {"name"}


@pytest.mark.django_db
def test_a_parameter_inside_an_array_is_one(account_of: Callable[..., AwsAccount]) -> None:
    serving = account_of(purposes=["qa", "hub"])
    assert SERVING.all("qa") == SERVING.all("hub") == [serving]
    assert SERVING.all("production") == []


@pytest.fixture
def account_of() -> Callable[..., AwsAccount]:
    def make(**values: object) -> AwsAccount:
        return kept.insert(AwsAccount(account_id="123456789012", alias="kept", regions=["eu-west-1"], **values))

    return make


@pytest.mark.django_db
def test_what_locks_is_refused_outside_a_transaction(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOCKED.get("factoring") == project
    monkeypatch.setattr(connections["default"], "in_atomic_block", False)
    with pytest.raises(TransactionManagementError):
        LOCKED.get("factoring")


@pytest.mark.django_db
def test_a_change_writes_the_named_fields_and_misses_no_row_that_is_gone(project: Project) -> None:
    project.name, project.key = "Factoring and leasing", "another"
    kept.update(project, "name")
    there = Project.objects.get(pk=project.pk)
    assert (there.name, there.key) == ("Factoring and leasing", "factoring")
    project.pk += 1
    with pytest.raises(DatabaseError):
        kept.update(project, "name")


@pytest.mark.django_db
def test_a_conflict_is_ignored_where_that_is_asked_for(project: Project) -> None:
    again = Project(key="factoring", name="Again", line_of_business=project.line_of_business)
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.insert(again)
    kept.insert(again, ignore_conflicts=True)
    assert again.pk is None
    assert Project.objects.get().name == "Factoring"


@pytest.mark.django_db
def test_related_rows_are_known_as_if_prefetched(project: Project) -> None:
    line = LineOfBusiness.objects.get()
    kept.hold(line, "projects", Project.objects.all(), [project])
    with CaptureQueriesContext(connection) as asked:
        assert list(line.projects.all()) == [project]
    assert len(asked) == 0
