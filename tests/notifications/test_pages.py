"""The bell, the list and the settings, as a browser meets them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.models import Notification, NotificationDelivery, NotificationSettings
from governance.services import telling
from governance.services.notifications import notify
from portal.core.vocabulary import NotificationKind
from registry.models import ApiToken
from registry.services import people as people_services
from tests.factories.people import SYSTEM
from tests.web.conftest import browser

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(place: Place) -> Client:
    """The model owner's browser, for whom a request waits."""
    place.submit()
    telling.tell_due()
    return browser(place.people.owner)


def mine(place: Place) -> Notification:
    return Notification.objects.get(person=place.people.owner)


def test_the_bell_counts_lists_and_is_quiet_once_read(place: Place, owner: Client) -> None:
    assert ">1<" in owner.get("/notifications/bell/").content.decode()
    opened = owner.get("/notifications/latest/").content.decode()
    assert f"Decide on {place.version.name} in Development" in opened
    assert mine(place).path in opened
    row = mine(place)
    assert owner.post(f"/notifications/{row.pk}/read/")["Location"] == "/notifications/"
    assert ">1<" not in owner.get("/notifications/bell/").content.decode()
    assert "Nothing is unread" in owner.get("/notifications/").content.decode()
    owner.post(f"/notifications/{row.pk}/unread/")
    assert mine(place).read_at is None
    assert browser(place.people.officer).post(f"/notifications/{row.pk}/read/").status_code == 404
    assert mine(place).read_at is None


def test_all_that_was_shown_is_read_and_what_came_since_is_not(place: Place, owner: Client) -> None:
    shown = mine(place)
    notify(kind=NotificationKind.PACK_READY, person_ids=[place.people.owner.pk], key="k", title="Ready", path="/p/")
    telling.tell_due()
    owner.post("/notifications/read-all/", {"newest": shown.pk})
    assert list(Notification.objects.filter(read_at=None).values_list("title", flat=True)) == ["Ready"]
    owner.post("/notifications/read-all/", {"newest": "9" * 40})
    assert not Notification.objects.filter(read_at=None).exists()


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"])
def test_a_button_leads_nowhere_else(place: Place, owner: Client, elsewhere: str) -> None:
    answer = owner.post("/notifications/read-all/", {"next": elsewhere})
    assert answer["Location"] == "/notifications/"


def test_what_one_may_no_longer_see_is_not_told_any_more(place: Place, owner: Client) -> None:
    for role in place.people.owner.actor.roles_on(place.project.pk):
        people_services.revoke(actor=SYSTEM, role=role, to=place.people.owner, project=place.project)
    for page in ("/notifications/", "/notifications/latest/", "/notifications/?export=csv"):
        answer = owner.get(page)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert place.version.name not in body.decode(), page
    for words in ("Decide", place.version.name.partition("/")[0]):
        page = owner.get(f"/notifications/?q={words}").content.decode()
        assert "Nothing matches these filters" in page, "what is concealed is not found by its words"


def test_the_list_is_filtered_and_garbage_shows_nothing(place: Place, owner: Client) -> None:
    title = f"Decide on {place.version.name}"
    for query, there in (
        ("?state=unread", True),
        ("?state=read", False),
        ("?kind=request_waits", True),
        ("?kind=pack_ready", False),
        ("?q=decide+on", True),
        ("?q=nothing", False),
        ("?kind=nonsense", False),
    ):
        page = owner.get(f"/notifications/{query}")
        assert page.status_code == 200
        assert (title in page.content.decode()) is there, query


def settings_form(place: Place, **changes: Any) -> dict[str, Any]:
    return {
        "revision": "1", "is_digest_on": "on", "digest_hour": "7", "time_zone": "Europe/Berlin",
        "bell:request_waits": "on", "digest:request_waits": "on", **changes,
    }  # fmt: skip


def test_choices_are_saved_shown_and_refused_beside_their_field(place: Place, owner: Client) -> None:
    assert owner.post("/notifications/settings/", settings_form(place)).status_code == 302
    row = NotificationSettings.objects.get(person=place.people.owner)
    assert (row.digest_hour, row.time_zone, row.revision) == (7, "Europe/Berlin", 2)
    assert row.choices["request_waits"] == {"bell": True, "email": False, "chat": False, "digest": True}
    page = owner.get("/notifications/settings/").content.decode()
    assert '<option value="Europe/Berlin" selected>' in page
    for wrong in ({"digest_hour": "99"}, {"time_zone": "Mars/Olympus"}, {"revision": "x"}, {"digest_hour": "\0"}):
        assert owner.post("/notifications/settings/", settings_form(place, **wrong)).status_code == 422
    for stale in ("1", "9" * 30):
        assert owner.post("/notifications/settings/", settings_form(place, revision=stale)).status_code in (412, 422)
    row.refresh_from_db()
    assert row.revision == 2


def test_a_chat_is_set_up_and_its_address_shown_to_nobody(place: Place, owner: Client) -> None:
    secret = "https://hooks.slack.com/services/T0/B0/verysecret"
    refused = owner.post("/notifications/settings/chat/", {"kind": "slack", "url": "http://10.0.0.1/verysecret"})
    assert refused.status_code == 422
    assert "not a public address" in refused.content.decode()
    assert "verysecret" not in refused.content.decode()
    assert owner.post("/notifications/settings/chat/", {"kind": "slack", "url": secret}).status_code == 302
    page = owner.get("/notifications/settings/").content.decode()
    assert "hooks.slack.com" in page
    assert "verysecret" not in page
    assert owner.post("/notifications/settings/chat/remove/").status_code == 302
    assert NotificationSettings.objects.get(person=place.people.owner).chat_url == ""


def test_what_did_not_arrive_is_shown_to_whom_it_was_for(place: Place, owner: Client) -> None:
    row = NotificationDelivery.objects.get(person=place.people.owner)
    row.state, row.last_error, row.ended_at = "failed", "550 No such user", row.created_at
    row.save()
    assert "550 No such user" in owner.get("/notifications/").content.decode()
    assert "550" not in browser(place.people.officer).get("/notifications/").content.decode()


def test_a_token_is_shown_once_listed_and_revoked(place: Place, owner: Client) -> None:
    made = owner.post("/profile/tokens/new/", {"name": "Nightly <b>", "days": "7", "is_read_only": "on"})
    token = ApiToken.objects.get(user=place.people.owner)
    text = made.content.decode().split('aria-label="Token">')[1].split("<")[0]
    assert text.startswith(token.token_key)
    page = owner.get("/profile/tokens/").content.decode()
    assert text not in page
    assert "Nightly &lt;b&gt;" in page
    assert "Only read" in page
    for wrong in ({"name": "", "days": "7"}, {"name": "n", "days": "99999"}, {"name": "n\0", "days": "7"}):
        assert owner.post("/profile/tokens/new/", wrong).status_code == 422
    assert owner.post(f"/profile/tokens/{token.token_key}/revoke/").status_code == 302
    assert owner.post(f"/profile/tokens/{token.token_key}/revoke/").status_code == 404


def test_the_profile_says_which_roles_and_why(place: Place, owner: Client) -> None:
    page = owner.get("/profile/").content.decode()
    for words in ("Model owner", place.project.name, "To you yourself", "No identity in AWS is linked to you"):
        assert words in page


def test_the_bell_costs_one_query_beside_who_asks(place: Place, owner: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        owner.get("/notifications/bell/")
    asked = [query["sql"] for query in few.captured_queries if "governance_notification" in query["sql"]]
    assert len(asked) == 1
    assert "COUNT" in asked[0]
    with CaptureQueriesContext(connection) as few:
        owner.get("/notifications/")
    for number in range(30):
        notify(
            kind=NotificationKind.PACK_READY, person_ids=[place.people.owner.pk], key=f"{number}", title="R", path="/p/"
        )
    telling.tell_due()
    with CaptureQueriesContext(connection) as many:
        owner.get("/notifications/")
    assert len(many) <= len(few) <= 15
