"""The pages that write cards: who comes second keeps his rows, and what AWS refused is taken up again."""

from __future__ import annotations

import pytest
from django.test import Client

from governance.services import card_edits
from portal.core.actors import Actor
from portal.core.operations import operation
from registry.choices import AskedState
from registry.models import ModelCardEdit
from tests.api.carded import carded
from tests.factories import group, version
from tests.governance.conftest import Place

pytestmark = pytest.mark.django_db
ROWS = {
    "hyper_parameters-sent": "1",
    "hyper_parameters-0-at": '["max_depth",1]',
    "hyper_parameters-0-name": "max_depth",
    "hyper_parameters-0-value": "9",
    "hyper_parameters-3-at": "",
    "hyper_parameters-3-name": "eta",
    "hyper_parameters-3-value": "0.05",
}


def test_who_comes_second_sees_both_and_keeps_his_rows(place: Place, client: Client) -> None:
    card = carded(version(group(place.project, place.people)))
    client.force_login(place.people.scientist)
    answer = client.post(f"/model-cards/{card.pk}/edit/", {"revision": "0", **ROWS})
    text = answer.content.decode().replace("<wbr>", "")
    assert answer.status_code == 412
    assert "max_depth · 9" in text
    assert "max_depth · 6" in text
    assert 'name="hyper_parameters-1-value" value="0.05"' in text
    assert f'name="revision" value="{card.revision}"' in text
    client.post(f"/model-cards/{card.pk}/edit/", {"revision": str(card.revision), **ROWS})
    job = ModelCardEdit.objects.get(card=card).content["training_details"]["training_job_details"]  # type: ignore[index]
    assert job["hyper_parameters"] == [{"name": "max_depth", "value": "9"}, {"name": "eta", "value": "0.05"}]
    assert job["training_metrics"] == [{"name": "auc", "value": 0.83, "notes": "held out"}], "no such rows were sent"


def test_a_card_that_was_refused_is_taken_up_again(place: Place, client: Client) -> None:
    models, person = group(place.project, place.people), place.people.scientist
    content = {"model_overview": {"model_owner": "Lending of long ago"}}
    asked = card_edits.create(actor=person.actor, group_id=models.pk, name="refused-card", content=content)
    client.force_login(person)
    assert "on its way" in client.get("/model-cards/").content.decode()
    with operation(Actor.system("outbox"), "AWS refused it"):
        asked.state, asked.error = AskedState.FAILED, "The name is taken."
        asked.save(update_fields=["state", "error"])
    shown = client.get("/model-cards/").content.decode()
    assert "The name is taken." in shown
    assert f"/model-cards/new/?from={asked.pk}" in shown
    assert "Lending of long ago" in client.get(f"/model-cards/new/?from={asked.pk}").content.decode()
    for number in ("0", "x", str(asked.pk + 1), "9" * 30):
        assert client.get(f"/model-cards/new/?from={number}").status_code == 404
    client.force_login(place.people.stranger)
    assert client.get(f"/model-cards/new/?from={asked.pk}").status_code == 404
