"""What a page answers when a refusal or an outage reaches the middleware."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from redis.exceptions import ConnectionError as ValkeyDown

from portal.core.errors import StaleEdit, WrongState
from portal.core.middleware import CorrelationMiddleware, DomainErrorMiddleware


def _answer(error: Exception) -> HttpResponse | None:
    request = RequestFactory().post("/sign-in/")
    return DomainErrorMiddleware(lambda _: HttpResponse()).process_exception(request, error)


@pytest.mark.parametrize(("error", "status"), [(WrongState("Not now."), 409), (StaleEdit("Reload."), 412)])
def test_a_refusal_becomes_a_page_with_its_status_and_reason(error: Exception, status: int) -> None:
    answer = _answer(error)
    assert answer is not None
    assert answer.status_code == status
    assert str(error) in answer.content.decode()


def test_an_outage_of_valkey_is_said_and_not_a_failure_of_the_portal() -> None:
    answer = _answer(ValkeyDown("Connection refused"))
    assert answer is not None
    assert answer.status_code == 503
    assert "Connection refused" not in answer.content.decode()


def test_what_nobody_foresaw_is_left_to_django() -> None:
    assert _answer(RuntimeError("boom")) is None


@pytest.mark.parametrize(("given", "kept"), [("deploy-20261121", True), ("x", False), ("a b; DROP", False)])
def test_a_sane_request_id_is_kept_and_any_other_replaced(given: str, kept: bool) -> None:
    answer = CorrelationMiddleware(lambda _: HttpResponse())(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert (answer["X-Request-ID"] == given) is kept
