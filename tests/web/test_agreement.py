"""What the pages and the API say of versions that were changed in SageMaker past the portal."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from governance.choices import OutsideResponse
from governance.models import Finding
from governance.services import approvals, out_of_band
from registry.aws.records import Identity
from registry.models import ModelVersion
from registry.services import people as people_service
from tests.api.world import World
from tests.factories import version
from tests.factories.people import SYSTEM
from tests.governance.outside import under

from .test_pages import words_of

AsRole = Callable[[str], Client]


def test_the_version_and_its_finding_say_the_verdict_in_the_same_words(world: World, as_role: AsRole) -> None:
    made = version(world.group, 91, approval_status="Approved")
    client = as_role("governance_officer")
    said = f"SageMaker says {made.name} is Approved; nobody has decided about it in the portal."
    panel = words_of(client.get(reverse("governance:version_panel", args=[made.pk])))
    assert "Approved outside the portal" in panel
    assert said in panel
    assert "Changed outside the portal" not in words_of(client.get(_activity(made)))
    out_of_band.answer(actor=out_of_band.ACTOR, version_id=made.pk)
    finding = Finding.objects.get(version=made, kind="approved_outside_portal")
    assert said in words_of(client.get(reverse("governance:finding", args=[finding.pk])))
    activity = words_of(client.get(_activity(made)))
    assert "Changed outside the portal" in activity
    assert "It is only reported, as policy 2 asks." in activity
    asked = words_of(client.get(reverse("governance:version_panel", args=[world.trial.pk])))
    assert "On its way to SageMaker" in asked


def test_a_decision_taken_over_from_sagemaker_is_marked_wherever_it_is_shown(world: World, as_role: AsRole) -> None:
    people = world.people
    under(people, OutsideResponse.ADOPT)
    arn = "arn:aws:iam::111111111111:user/the-owner"
    people_service.link_identity(actor=SYSTEM, user=people.owner, arn=arn)
    made = version(world.group, 92)
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    version(
        world.group,
        92,
        created_at=made.aws_created_at,
        approval_status="Approved",
        last_modified_by=Identity(arn, "", "", ""),
        last_modified_at=timezone.now(),
    )
    change = out_of_band.answer(actor=out_of_band.ACTOR, version_id=made.pk)
    assert change is not None
    assert change.decision is not None, change.reason
    client = as_role("governance_officer")
    assert "Adopted from SageMaker" in words_of(client.get(reverse("governance:request", args=[request.pk])))
    assert "Adopted from SageMaker" in words_of(client.get(_activity(made)))
    (decision,) = world.api("governance_officer").get(f"approvals/{request.public_id}/")["decisions"]
    assert (decision["source"], decision["aws_principal"]) == ("adopted", arn)
    assert decision["aws_at"] is not None


def _activity(made: ModelVersion) -> str:
    return reverse("governance:version_activity", args=[made.pk])


def test_history_tells_of_what_changed_inside_a_column(world: World, as_role: AsRole) -> None:
    made = version(world.group, 31)
    ModelVersion.objects.filter(pk=made.pk).update(metadata={"note": "changed by hand"}, containers=[])
    told = words_of(as_role("auditor").get(_activity(made)))
    assert "changed by hand" in told
