"""Registering a version and creating a group by page: nothing filled in is lost, what is wrong stands beside its field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from registry.models import GroupCreation, Registration
from tests.api.world import World

from .test_pages import words_of

AsRole = Callable[[str], Client]
pytestmark = pytest.mark.django_db

FILLED = {
    "description": "Ranks.",
    "image_1": "image:1",
    "model_data_url_1": "s3://bucket/model/",
    "environment_1": "THREADS = 2",
    "content_types": "text/csv, application/json",
    "response_types": "text/csv",
    "metadata": "validation_auc = 0.78\n\nalgorithm = xgboost",
    "count": "1",
    "reference": "once",
}


@pytest.fixture
def page(world: World) -> str:
    return reverse("governance:version_register", args=[world.group.pk])


def test_what_is_filled_in_becomes_the_request(world: World, page: str, as_role: AsRole, aws_answers: None) -> None:
    card = {"intended_uses": {"purpose_of_model": "credit-risk", "risk_rating": "High"}}
    sent = as_role("data_scientist").post(
        page, {**FILLED, "risk_rating": "Low", "use_case": world.asked.pk, "owner": "Mo", "card": json.dumps(card)}
    )
    assert sent.status_code == 302
    row = Registration.objects.latest("number")
    assert sent["Location"] == reverse("governance:registration", args=[row.number])
    assert (row.requested_by, row.reference) == (world.people.scientist, "once")
    request = row.payload
    assert request["CustomerMetadataProperties"] == {
        "validation_auc": "0.78",
        "algorithm": "xgboost",
        "portal-registration": row.public_id,
    }
    assert request["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv", "application/json"]
    (container,) = request["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {"THREADS": "2"}
    assert container["ModelDataSource"]["S3DataSource"]["S3Uri"] == "s3://bucket/model/"
    written = json.loads(request["ModelCard"]["ModelCardContent"])
    assert written["intended_uses"] == {"purpose_of_model": "credit-risk", "risk_rating": "Low"}
    assert written["model_overview"] == {"model_owner": "Mo"}
    assert written["additional_information"]["custom_details"]["UseCaseId"] == world.asked.public_id
    shown = words_of(as_role("auditor").get(sent["Location"]))
    assert "On its way to AWS" in shown
    assert row.public_id in shown
    # Sent twice, it is registered once.
    assert as_role("data_scientist").post(page, {**FILLED, "risk_rating": "Low"}).status_code == 422
    assert Registration.objects.filter(reference="once").count() == 1


def test_another_container_keeps_what_is_filled_in(page: str, as_role: AsRole) -> None:
    answer = as_role("data_scientist").post(page, {**FILLED, "another": "1"})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert 'name="image_2"' in html
    assert 'value="image:1"' in html
    assert "s3://bucket/model/" in html
    assert "Nothing was saved" not in html
    assert 'name="count" value="2"' in html


@pytest.mark.parametrize("count", ["0", "-1", "99999999999999999999", "x", "16"])
def test_a_count_that_is_none_is_borne(page: str, as_role: AsRole, count: str) -> None:
    assert as_role("data_scientist").post(page, {**FILLED, "count": count, "another": "1"}).status_code == 200


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"image_1": ""}, "This field is required"),
        ({"metadata": "no value"}, "Write name = value in each line"),
        ({"metadata": "a = 1\na = 2"}, "is given twice"),
        ({"card": "{"}, "This is not JSON"),
        ({"card": "[]"}, "This has to be a JSON object"),
        ({"card": '{"intended_uses": {"risk_rating": "Severe"}}'}, "Severe"),
        ({"card": "{}", "card_file": SimpleUploadedFile("card.json", b"[1]")}, "This has to be a JSON object"),
        ({"model_data_url_1": "ftp://x"}, "does not name an object in S3"),
        ({"metric_sources": '{"Nonsense": {}}'}, "ModelMetrics.Nonsense is not known to AWS"),
        ({"content_types": " , "}, "Name at least one"),
    ],
)
def test_what_is_wrong_is_said(
    page: str, as_role: AsRole, aws_answers: None, given: dict[str, object], said: str
) -> None:
    answer = as_role("data_scientist").post(page, {**FILLED, **given})
    assert answer.status_code == 422
    assert said in words_of(answer)


def test_a_group_is_asked_for(world: World, as_role: AsRole, aws_answers: None) -> None:
    new = reverse("governance:group_new")
    filled = {
        "name": "by-hand",
        "project": world.project.pk,
        "owner": world.people.owner.pk,
        "use_cases": [world.asked.pk],
        "where": "111111111111/us-east-1",
        "tags": "cost-centre = 4711",
    }
    engineer = as_role("ml_engineer")
    wrong = engineer.post(new, {**filled, "name": "by hand", "tags": "nothing"})
    assert wrong.status_code == 422
    assert "Write name = value" in words_of(wrong)
    refused = engineer.post(new, {**filled, "policy": "{"})
    assert "The policy is not JSON" in words_of(refused)
    sent = engineer.post(new, filled)
    row = GroupCreation.objects.latest("number")
    assert sent["Location"] == reverse("governance:group_creation", args=[row.number])
    assert (row.name, row.tags, row.use_case_ids) == ("by-hand", {"cost-centre": "4711"}, [world.asked.pk])
    assert "by-hand" in words_of(engineer.get(sent["Location"]))
    again = engineer.post(new, filled)
    assert again.status_code == 409
    assert row.public_id in words_of(engineer.get(new))


def test_only_who_may_is_offered_it(world: World, as_role: AsRole) -> None:
    group, groups = reverse("registry:group", args=[world.group.pk]), reverse("registry:group_list")
    assert "Register a version" in words_of(as_role("data_scientist").get(group))
    assert "Register a version" not in words_of(as_role("governance_officer").get(group))
    assert "New group" in words_of(as_role("ml_engineer").get(groups))
    assert "New group" not in words_of(as_role("data_scientist").get(groups))
