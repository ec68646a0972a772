"""What the database keeps of findings, whoever writes: their moves, what they are about, how they ended.

Every path around the services is the one of the bypass matrix.
"""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.choices import FINDING_MOVES, FindingKind
from governance.models import Finding
from registry.models import User
from tests.factories import Cast, group, version
from tests.matrices.bypass import INSERTS, UPDATES, Attempt
from tests.refusals import refused
from tests.scene import fingerprint, settle

from .conftest import Place
from .test_bypass_matrix import PATHS
from .test_finding_people import STATES, TODAY, VERBS, a_finding

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", [*UPDATES, *INSERTS])
@pytest.mark.parametrize("state", ["accepted", "acknowledged"])
def test_no_path_around_the_services_makes_another_move(place: Place, path: str, state: str) -> None:
    """From resolved the only way is back to open, and none begins but open."""
    row = a_finding(place, "resolved")
    before = fingerprint()
    with refused("finding_moves"):
        PATHS[path](row, Attempt("governance_finding", "state", state, path, "finding_moves"))
    assert fingerprint() == before


def forced(finding: Finding, **columns: Any) -> None:
    """Write columns past the services."""
    with transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(**columns)


def columns_of(state: str, officer: User) -> dict[str, Any]:
    """What a row in a state must have, so that only the move itself can be refused."""
    accepted = state == "accepted"
    return {
        "state": state,
        "accepted_until": TODAY() if accepted else None,
        "accepted_by": officer if accepted else None,
        "acceptance_reason": "Known." if accepted else "",
        "closed_at": timezone.now() if state == "resolved" else None,
        "closing_note": "",
    }


@pytest.mark.parametrize(("source", "target"), [pair for pair in product(STATES, STATES) if pair[0] != pair[1]])
def test_the_database_has_the_same_moves(place: Place, people: Cast, source: str, target: str) -> None:
    finding = a_finding(place, source)
    columns = columns_of(target, people.officer)
    if (source, target) in FINDING_MOVES:
        forced(finding, **columns)
        finding.refresh_from_db()
        assert finding.state == target
        return
    with pytest.raises(IntegrityError, match=r"does not move|resolved and not edited"):
        forced(finding, **columns)


@pytest.mark.parametrize("state", [state for state in STATES if ("", state) not in FINDING_MOVES])
def test_none_begins_but_open(place: Place, people: Cast, state: str) -> None:
    subject = version(group(place.project, people))
    row = Finding(
        kind=FindingKind.CARD_INVALID,
        severity="warning",
        subject_key=f"modelversion:{subject.pk}/x",
        summary="x",
        version=subject,
        last_seen_at=timezone.now(),
        **columns_of(state, people.officer),
    )
    with pytest.raises(IntegrityError, match="does not move"), transaction.atomic():
        row.save()


@pytest.mark.parametrize(
    ("column", "value"),
    [("summary", "Nothing."), ("evidence", {}), ("severity", "info"), ("closing_note", "Never mind."), ("owner_id", None)],
)  # fmt: skip
def test_a_resolved_one_is_not_edited(place: Place, column: str, value: Any) -> None:
    finding = a_finding(place)
    VERBS["acknowledge"](place.people.officer, finding)
    VERBS["resolve"](place.people.officer, finding)
    with pytest.raises(IntegrityError, match="resolved and not edited"):
        forced(finding, **{column: value})


@pytest.mark.parametrize("column", ["kind", "subject_key", "version_id", "stage", "account_id", "first_seen_at"])
def test_it_stays_with_what_it_is_about(place: Place, column: str) -> None:
    other = {"kind": "card_missing", "subject_key": "x", "stage": "qa", "first_seen_at": timezone.now()}
    with pytest.raises(IntegrityError, match="stays with what it is about"):
        forced(a_finding(place), **{column: other.get(column)})


def test_it_is_not_removed(place: Place) -> None:
    finding = a_finding(place)
    with pytest.raises(IntegrityError, match="not removed"), transaction.atomic():
        finding.delete()
    settle()
    with pytest.raises(IntegrityError, match="not removed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE governance_finding CASCADE")


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"accepted_until": None}, "finding_accepted_until_by_and_why"),
        ({"acceptance_reason": ""}, "finding_accepted_until_by_and_why"),
        ({"accepted_by": None}, "is no governance officer there|finding_accepted_until_by_and_why"),
        ({"accepted_until": date(2999, 1, 1)}, "cannot be accepted until"),
        ({"accepted_until": date(2020, 1, 1)}, "cannot be accepted until"),
    ],
)
def test_an_acceptance_is_whole_and_for_a_year(
    place: Place, people: Cast, changed: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        forced(a_finding(place), **{**columns_of("accepted", people.officer), **changed})


@pytest.mark.parametrize("role", ["scientist", "owner", "engineer", "admin", "auditor", "stranger"])
def test_the_database_knows_who_may_accept(place: Place, people: Cast, role: str) -> None:
    with pytest.raises(IntegrityError, match="is no governance officer there"):
        forced(a_finding(place), **columns_of("accepted", getattr(people, role)))


def test_a_second_unresolved_one_of_the_same_is_refused(place: Place) -> None:
    finding = a_finding(place, "accepted")
    twin = Finding.objects.get(pk=finding.pk)
    twin.pk, twin.state, twin.accepted_until, twin.accepted_by, twin.acceptance_reason = None, "open", None, None, ""
    with pytest.raises(IntegrityError, match="finding_one_unresolved_per_subject"), transaction.atomic():
        twin.save(force_insert=True)
