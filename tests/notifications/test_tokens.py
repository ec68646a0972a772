"""API tokens with terms: an end, a right to read only, and when they were used."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from governance.models import TokenTerms
from governance.services import api_tokens
from portal.core.errors import Forbidden, InvalidInput
from registry.models import ApiToken
from registry.services import tokens
from tests.factories.people import SYSTEM

from .conftest import Place

pytestmark = pytest.mark.django_db


def call(method: str, text: str) -> int:
    client = Client(headers={"Authorization": f"Token {text}"})
    return int(getattr(client, method)("/api/v1/use-cases/", {}, content_type="application/json").status_code)


def test_a_token_that_may_only_read_changes_nothing_and_says_when_it_was_used(place: Place) -> None:
    token, text = api_tokens.issue(actor=place.people.scientist.actor, name=" Nightly ", days=7, is_read_only=True)
    assert token.name == "Nightly"
    assert timedelta(days=6, hours=23) < token.expiry - timezone.now() <= timedelta(days=7)
    assert TokenTerms.objects.get(token=token).last_used_at is None
    assert call("get", text) == 200
    used = TokenTerms.objects.get(token=token).last_used_at
    assert used is not None
    refused = Client(headers={"Authorization": f"Token {text}"}).post(
        "/api/v1/use-cases/", {"name": "x"}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1]) == (
        403,
        "read-only-token",
    )
    call("get", text)
    assert TokenTerms.objects.get(token=token).last_used_at == used, "not written at every request"


def test_a_token_without_that_writes_and_one_without_terms_goes_on(place: Place) -> None:
    for _, text in (
        api_tokens.issue(actor=place.people.scientist.actor, name="Writer", days=1, is_read_only=False),
        tokens.issue(actor=place.people.scientist.actor),
    ):
        assert call("get", text) == 200
        assert call("post", text) == 400, "it got as far as its body"


@pytest.mark.parametrize(
    ("name", "days", "field"),
    [
        ("", 7, "name"),
        ("  ", 7, "name"),
        ("x" * 101, 7, "name"),
        ("a\0b", 7, "name"),
        ("n", 0, "days"),
        ("n", 367, "days"),
    ],
)
def test_terms_that_make_no_sense_are_refused_and_nothing_is_made(
    place: Place, name: str, days: int, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        api_tokens.issue(actor=place.people.owner.actor, name=name, days=days, is_read_only=True)
    assert set(refused.value.errors) == {field}
    assert not ApiToken.objects.filter(user=place.people.owner).exists()
    with pytest.raises(Forbidden):
        api_tokens.issue(actor=SYSTEM, name="n", days=1, is_read_only=True)
