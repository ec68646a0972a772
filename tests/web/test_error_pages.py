"""What goes wrong is said in the house style: what happened, that nothing was changed, what to do, and the reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import path

from portal.core.error_views import refusal
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import correlated

REFERENCE = "0123456789abcdef"
PAGES = ["400", "403", "403_csrf", "404", "405", "409", "412", "500", "503"]


def breaks(request: object) -> None:
    raise RuntimeError("out of order")


urlpatterns = [path("breaks/", breaks)]


@pytest.mark.parametrize("name", PAGES)
def test_every_error_page_shows_without_anything_and_names_its_reference(name: str) -> None:
    with correlated(REFERENCE):
        text = get_template(f"errors/{name}.html").render()
    assert "data-error-title" in text
    assert "data-error-detail" in text
    assert f'data-copy="{REFERENCE}"' in text
    assert 'href="/"' in text


def test_an_error_of_the_portals_own_needs_no_database(settings: object) -> None:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]  # settings are any object

    def refuse(*_: object) -> None:
        raise AssertionError("the page asked the database")

    with connection.execute_wrapper(refuse):
        answer = Client(raise_request_exception=False).get("/breaks/", headers={"X-Request-ID": REFERENCE})
    assert answer.status_code == 500
    text = answer.content.decode()
    assert f">{REFERENCE}</code>" in text
    assert "was not saved" in text
    assert "out of order" not in text


@pytest.mark.parametrize(
    ("method", "detail", "said"),
    [("post", "It is decided.", 1), ("post", "Nothing was sent.", 0), ("get", "It is decided.", 0)],
)
def test_who_pressed_a_button_is_told_once_that_nothing_was_changed(method: str, detail: str, said: int) -> None:
    request = getattr(RequestFactory(), method)("/x/")
    answer = refusal(request, WrongState(detail))
    assert answer.status_code == 409
    assert answer.content.decode().count("Nothing was changed.") == said


def test_what_cannot_be_used_names_its_fields() -> None:
    answer = refusal(RequestFactory().post("/x/"), InvalidInput("Look again.", errors={"ends_on": ["It is <over>."]}))
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "It is &lt;over&gt;." in text


def test_an_address_for_forms_alone_says_so_within_the_frame(as_role: Callable[[str], Client]) -> None:
    answer = as_role("auditor").get("/audit-trail/check/")
    text = answer.content.decode()
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]
    assert "only takes what a form" in text
    assert 'aria-label="Main"' in text


def test_a_form_without_its_token_is_refused_within_the_frame(as_role: Callable[[str], Client]) -> None:
    signed_in = as_role("auditor")
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    answer = client.post("/audit-trail/check/", {"scope": "recent"})
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "This form is too old" in text
    assert 'aria-label="Main"' in text
