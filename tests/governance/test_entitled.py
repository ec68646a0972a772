"""The database asks for the role of who decides and for the decisions of what is approved, whoever writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from governance.models import ApprovalRequest
from governance.services import approvals
from registry.models import ModelVersion, User
from registry.services.positions import announced
from tests.factories import group, version

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(place: Place) -> ApprovalRequest:
    subject = version(group(place.project, place.people))
    return approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)


def _insert(request: ApprovalRequest, decider: User, role: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO governance_decision (request_id, decider_id, decider_name, role, verdict, comment, back_to,"
            " digest, requester_id_copy, registrant_id_copy, source, aws_principal, decided_at)"
            " VALUES (%s, %s, %s, %s, 'approve', '', '', %s, %s, %s, 'portal', '', now())",
            [
                request.pk,
                decider.pk,
                decider.username,
                role,
                request.digest,
                request.requester_id,
                request.registrant_id,
            ],
        )


@pytest.mark.parametrize("who", ["engineer", "officer", "admin", "auditor", "stranger"])
def test_nobody_decides_in_a_role_he_does_not_hold_there(place: Place, asked: ApprovalRequest, who: str) -> None:
    with pytest.raises(IntegrityError, match="does not hold the role model_owner"):
        _insert(asked, getattr(place.people, who), "model_owner")


def test_nothing_is_approved_without_the_decisions_it_needs(place: Place, asked: ApprovalRequest) -> None:
    def approve() -> None:
        with transaction.atomic(), announced("approve"), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE governance_approvalrequest SET state = 'approved', closed_at = now() WHERE id = %s", [asked.pk]
            )

    with pytest.raises(IntegrityError, match="lacks approvals in the role model_owner"):
        approve()
    _insert(asked, place.people.owner, "model_owner")
    approve()
