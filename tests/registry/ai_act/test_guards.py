"""What the database refuses about classifications, whatever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from portal.core.vocabulary import RiskClass
from registry.choices import ClassificationState
from registry.models import Classification, Project, UseCase
from registry.services import classifications
from tests.factories import Cast, cast, project, use_case
from tests.refusals import as_replica, refused, sql
from tests.scene import settle

from .cases import CREDIT, EXEMPT
from .filled import filled

pytestmark = pytest.mark.django_db
TABLE = "registry_classification"


@pytest.fixture
def here(db: None) -> Project:
    return project("guards")


@pytest.fixture
def people_(here: Project) -> Cast:
    return cast(here, project("elsewhere"))


@pytest.fixture
def row(people_: Cast, here: Project) -> Classification:
    case = use_case(people_, here, RiskClass.UNCLASSIFIED)
    return classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers=filled(**CREDIT))


def _ways(row: Classification, **values: Any) -> list[Callable[[], object]]:
    """The same change by queryset, by save, by SQL, and by SQL as replication would."""
    columns = ", ".join(f"{name} = %s" for name in values)

    def saved() -> None:
        fresh = Classification.objects.get(pk=row.pk)
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save()

    def by_sql() -> None:
        sql(f"UPDATE {TABLE} SET {columns} WHERE id = %s", *values.values(), row.pk)

    def as_replication() -> None:
        with as_replica():
            by_sql()

    return [lambda: Classification.objects.filter(pk=row.pk).update(**values), saved, by_sql, as_replication]


@pytest.mark.parametrize(
    "values",
    [
        {"proposed_class": "minimal"},
        {"edition": "2024-1689"},
        {"derogation_reason": "Invented."},
        {"reason": "Another."},
        {"is_derogated": True, "derogation_reason": "x"},
    ],
    ids=str,
)
def test_what_was_answered_stays(row: Classification, values: dict[str, Any]) -> None:
    for way in _ways(row, **values):
        with refused("classification_pinned"):
            way()


def test_it_is_decided_by_an_officer_who_did_not_answer(row: Classification, people_: Cast) -> None:
    now = timezone.now()
    for who, by in (
        (people_.scientist, "classification_by_another"),
        (people_.owner, "classification_by_officer"),
        (people_.admin, "classification_by_officer"),
        (people_.stranger, "classification_by_officer"),
    ):
        for way in _ways(row, state="confirmed", confirmed_class="high", decided_by_id=who.pk, decided_at=now):
            with refused(by):
                way()


def test_a_laxer_class_is_not_confirmed(row: Classification, people_: Cast) -> None:
    officer, now = people_.officer.pk, timezone.now()
    for lax in ("limited", "minimal", "unclassified", ""):
        for way in _ways(row, state="confirmed", confirmed_class=lax, decided_by_id=officer, decided_at=now):
            with refused("classification_not_laxer"):
                way()


def test_states_go_one_way(row: Classification, people_: Cast) -> None:
    classifications.decline(actor=people_.officer.actor, classification_id=row.pk, reason="No.")
    for state in ("proposed", "confirmed", "superseded"):
        for way in _ways(row, state=state):
            with refused("classification_moves"):
                way()


def test_a_decision_stays_when_another_takes_its_place(row: Classification, people_: Cast) -> None:
    classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    for way in _ways(row, state="superseded", decided_by_id=people_.second_officer.pk):
        with refused("classification_pinned"):
            way()
    for way in _ways(row, confirmed_class="unacceptable"):
        with refused("classification_moves"):
            way()


def test_it_is_neither_removed_nor_truncated(row: Classification) -> None:
    settle()
    for way in (
        lambda: Classification.objects.filter(pk=row.pk).delete(),
        lambda: sql(f"DELETE FROM {TABLE}"),
        lambda: sql(f"TRUNCATE {TABLE} CASCADE"),
    ):
        with refused("history_kept"):
            way()
        with refused("history_kept"), as_replica():
            way()


def _new(row: Classification, **values: Any) -> Classification:
    given = {"use_case": row.use_case, "proposed_class": "high", "edition": row.edition, "assessor": row.assessor}
    return Classification(**{**given, **values})


def test_nothing_begins_decided_by_the_wrong_one(row: Classification, people_: Cast) -> None:
    now = timezone.now()
    Classification.objects.filter(pk=row.pk).update(state="superseded")
    confirmed = {"state": "confirmed", "confirmed_class": "high", "decided_at": now}
    for values, by in (
        ({"state": "superseded"}, "classification_moves"),
        ({"state": "declined", "decision_reason": "x"}, "classification_moves"),
        ({"decided_by": people_.officer}, "classification_undecided"),
        ({"confirmed_class": "minimal"}, "classification_undecided"),
        # Decided by the registrant, by another than the assessor, by no officer, laxer than the answers.
        ({**confirmed, "decided_by": people_.scientist}, "classification_by_another"),
        ({**confirmed, "decided_by": people_.officer}, "classification_by_another"),
        ({**confirmed, "decided_by": people_.owner, "assessor": people_.owner}, "classification_by_officer"),
        (
            {**confirmed, "confirmed_class": "minimal", "decided_by": people_.officer, "assessor": people_.officer},
            "classification_not_laxer",
        ),
        ({"is_derogated": True}, "classification_derogation_reasoned"),
        (
            {**confirmed, "edition": "", "decided_by": people_.officer, "assessor": people_.officer},
            "classification_by_hand_reasoned",
        ),
    ):
        with refused(by):
            _new(row, **values).save()
        with refused(by), as_replica():
            Classification.objects.bulk_create([_new(row, **values)])


@pytest.mark.parametrize("state", ["proposed", "confirmed"])
def test_one_waits_and_one_stands(row: Classification, people_: Cast, state: str) -> None:
    if state == "confirmed":
        classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    values: dict[str, Any] = {}
    if state == "confirmed":
        values = {"confirmed_class": "high", "decided_by": people_.officer, "decided_at": timezone.now()}
        values |= {"assessor": people_.officer, "state": state}
    with refused(f"classification_{state}_once"):
        _new(row, **values).save()


def test_the_class_of_a_use_case_is_the_confirmed_one(row: Classification, people_: Cast) -> None:
    case = row.use_case
    for _ in range(2):
        for wanted in ("minimal", "limited", "unacceptable"):
            for way in (
                lambda wanted=wanted: UseCase.objects.filter(pk=case.pk).update(risk_class=wanted),
                lambda wanted=wanted: sql("UPDATE registry_usecase SET risk_class = %s WHERE id = %s", wanted, case.pk),
            ):
                with refused("risk_class_confirmed"):
                    way()
                with refused("risk_class_confirmed"), as_replica():
                    way()
        if row.state == ClassificationState.PROPOSED:
            row = classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    case.refresh_from_db()
    assert case.risk_class == RiskClass.HIGH


def test_the_trail_tells_who_answered_and_who_decided(people_: Cast, here: Project) -> None:
    case = use_case(people_, here, RiskClass.UNCLASSIFIED)
    row = classifications.propose(
        actor=people_.owner.actor, use_case_id=case.pk, answers=filled(**CREDIT, **EXEMPT), derogation_reason="Sorts."
    )
    classifications.confirm(actor=people_.officer.actor, classification_id=row.pk, reason="Agreed.")
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT action, actor, reason FROM governance_auditevent WHERE "table" = %s AND object_id = %s ORDER BY sequence',
            [TABLE, str(row.pk)],
        )
        trail = cursor.fetchall()
    assert [(action, actor) for action, actor, _ in trail] == [
        ("insert", people_.owner.actor.label),
        ("update", people_.officer.actor.label),
    ]
    assert trail[1][2] == "Agreed."
