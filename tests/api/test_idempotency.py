"""A POST that is repeated with its key is done once and answered twice; what was refused may be repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.models import ApprovalRequest, Evidence, IdempotentAnswer
from governance.services import idempotency, use_cases
from registry.models import ModelVersion, UseCase
from tests.scene import fingerprint

from .client import BASE, Api, assert_problem
from .world import World

REGISTRATION = {"name": "New", "intended_purpose": "Rank.", "project": "here"}
KEY = "9b1c5a4e-3c57-4a37-9a0c-1d9f1f5a7b10"


def keyed(api: Api, path: str, body: Any, expect: int = 201, key: str = KEY) -> Any:
    answer = api.call("POST", path, body, **{"Idempotency-Key": key})
    assert answer.status_code == expect, answer.getvalue()
    return answer


def registered() -> int:
    return UseCase.objects.filter(name=REGISTRATION["name"]).count()


def test_a_repetition_is_told_the_same_and_does_nothing(world: World) -> None:
    api = world.api("data_scientist")
    first = keyed(api, "use-cases/", REGISTRATION)
    before = fingerprint()
    # The same JSON, written in another order.
    again = keyed(api, "use-cases/", dict(reversed(REGISTRATION.items())))
    assert again.content == first.content
    assert {name: again[name] for name in ("ETag", "Content-Type")} == {
        name: first[name] for name in ("ETag", "Content-Type")
    }
    assert not first.has_header("Idempotency-Replayed")
    assert again["Idempotency-Replayed"] == "true"
    assert again["Cache-Control"] == "private, no-store"
    assert (registered(), fingerprint()) == (1, before)
    api.post("use-cases/", REGISTRATION)
    assert registered() == 2


def test_a_key_belongs_to_one_request_of_one_person(world: World) -> None:
    api = world.api("data_scientist")
    keyed(api, "use-cases/", REGISTRATION)
    refusal = assert_problem(keyed(api, "use-cases/", {**REGISTRATION, "name": "Other"}, 422), 422)
    assert refusal["code"] == "idempotency-key-reused"
    assert "another body" in refusal["detail"]
    other = assert_problem(keyed(api, f"use-cases/{world.draft.public_id}/submit/", {"note": "x"}, 422), 422)
    assert "/api/v1/use-cases/" in other["detail"]
    keyed(world.api("model_owner"), "use-cases/", REGISTRATION)
    assert registered() == 2


def test_what_was_refused_may_be_repeated(world: World) -> None:
    api = world.api("data_scientist")
    assert_problem(keyed(api, "use-cases/", {**REGISTRATION, "name": " "}, 400), 400)
    assert_problem(keyed(world.api("auditor"), "use-cases/", REGISTRATION, 403), 403)
    assert not IdempotentAnswer.objects.exists()
    keyed(api, "use-cases/", REGISTRATION)


def test_a_fault_takes_everything_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    register = use_cases.register

    def fail(**values: Any) -> UseCase:
        register(**values)
        raise RuntimeError("after the effect")

    api = world.api("data_scientist")
    api.client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(use_cases, "register", fail)
        keyed(api, "use-cases/", REGISTRATION, 500)
    api.client.raise_request_exception = True
    assert (registered(), IdempotentAnswer.objects.count()) == (0, 0)
    keyed(api, "use-cases/", REGISTRATION)


def test_an_answer_that_cannot_be_written_has_no_effect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.api.use_cases.UseCaseOutput.get_blockers", lambda *_: [object()])
    api = world.api("data_scientist")
    api.client.raise_request_exception = False
    keyed(api, "use-cases/", REGISTRATION, 500)
    api.client.raise_request_exception = True
    assert registered() == 0


def test_what_a_refusal_wrote_down_stays_written(world: World) -> None:
    """A decision on what changed meanwhile is refused, and the request is outdated from then on."""
    ModelVersion.objects.filter(pk=world.trial.pk).update(metadata={"validation_auc": "0.10"})
    asked = world.version_request
    path = f"approvals/{asked.public_id}/decisions/"
    refusal = keyed(world.api("governance_officer"), path, {"decision": "approve"}, 409).json()
    assert refusal["code"] == "stale-request"
    assert ApprovalRequest.objects.get(pk=asked.pk).state == "outdated"
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "schl\u00fcssel", "a\tb"])
def test_what_is_no_key(world: World, key: str) -> None:
    refusal = assert_problem(keyed(world.api("data_scientist"), "use-cases/", REGISTRATION, 400, key), 400)
    assert refusal["code"] == "idempotency-key-unusable"


def test_signing_in_minds_no_key(world: World) -> None:
    """Nobody is known yet whose key it could be."""
    keyed(Api(), "auth/token/", {"username": "x", "password": "y"}, 401)
    assert not IdempotentAnswer.objects.exists()


def test_secrets_do_not_lie_in_the_table(world: World) -> None:
    api, path = world.api("ml_admin"), f"accounts/{world.ids['account']}/channels/"
    body = {"stage": "qa", "kind": "webhook", "url": "https://hooks.example.com/deploy"}
    first = keyed(api, path, body)
    secret = first.json()["secret"]
    assert secret
    row = IdempotentAnswer.objects.get()
    assert secret not in f"{row.body}{row.headers}"
    assert "deploy" not in row.body
    assert keyed(api, path, body).json()["secret"] == secret


def test_a_form_counts_by_what_its_files_hold(world: World) -> None:
    api = world.api("ml_engineer")

    def send(content: bytes) -> Any:
        file = SimpleUploadedFile("notes.txt", content, "text/plain")
        values = {"kind": "test_report", "model_version": world.trial.pk, "file": file}
        return api.client.post(f"{BASE}evidence/", values, format="multipart", headers={"Idempotency-Key": KEY})

    first, again, other = send(b"All is well."), send(b"All is well."), send(b"It is not.")
    assert (first.status_code, again.content, other.status_code) == (201, first.content, 422)
    assert Evidence.objects.filter(filename="notes.txt").count() == 1


def test_keys_are_forgotten_after_a_while(world: World, settings: Any) -> None:
    api = world.api("data_scientist")
    keyed(api, "use-cases/", REGISTRATION)
    assert idempotency.prune() == 0
    settings.PORTAL_IDEMPOTENCY = timedelta(0)
    assert not keyed(api, "use-cases/", REGISTRATION).has_header("Idempotency-Replayed")
    assert registered() == 2
    assert idempotency.prune() == 1
    assert not IdempotentAnswer.objects.exists()
