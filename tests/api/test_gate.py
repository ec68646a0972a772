"""The gate over HTTP: the answer whole, unknown is deny with 200, and keys that anybody may fetch."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from django.conf import LazySettings

from governance.models import SigningKey
from governance.services import gate, signing
from portal.core.vocabulary import Stage
from tests.scene import fingerprint, undone

from .client import Api, assert_problem
from .world import World

ANSWER = {
    "decision", "reasons", "version", "model_version", "model_package_arn", "stage", "account", "digest",
    "policy_version", "overrides", "checked_at", "expires_at", "attestation",
}  # fmt: skip


def question(world: World, **changed: str) -> dict[str, str]:
    return {"model_package_arn": world.trial.arn, "stage": "development", "account": "222222222222", **changed}


def test_an_answer_is_whole_and_signed(world: World) -> None:
    said = world.api("ml_engineer").get("gate/", **question(world))
    assert set(said) == ANSWER
    assert (said["decision"], said["reasons"]) == ("allow", [])
    assert (said["version"], said["model_version"]) == (world.trial.name, world.trial.pk)
    keys = jwt.PyJWKSet.from_dict(Api().get("gate/keys/"))
    token = said.pop("attestation")
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, keys[header["kid"]], audience="development@222222222222", subject=world.trial.arn)
    assert said.items() <= claims.items()


def test_a_deny_names_every_rule(world: World) -> None:
    said = world.api("ml_engineer").get("gate/", **question(world, stage="production", account="222222222222"))
    codes = {reason["code"] for reason in said["reasons"]}
    assert said["decision"] == "deny"
    assert codes >= {"never_at_stage", "account_not_for_stage"}
    assert all(set(reason) == {"code", "rule", "detail"} for reason in said["reasons"])


def test_what_one_may_not_see_is_answered_like_what_there_is_not(world: World) -> None:
    stranger = world.api("stranger")
    hidden = stranger.get("gate/", **question(world))
    absent = stranger.get("gate/", **question(world, model_package_arn="arn:aws:sagemaker:nowhere"))
    assert hidden["reasons"] == absent["reasons"]
    assert [reason["code"] for reason in hidden["reasons"]] == ["unknown_version"]
    shown = {name: value for name, value in hidden.items() if value != absent[name]}
    assert set(shown) <= {"model_package_arn", "checked_at", "expires_at", "attestation"}


UNKNOWN: list[tuple[dict[str, str], str]] = [
    ({"model_package_arn": "x" * 5000}, "unknown_version"),
    ({"model_package_arn": "'; DROP TABLE x; --"}, "unknown_version"),
    ({"model_package_arn": "\U0001f4a5\u202e"}, "unknown_version"),
    ({"stage": "poc"}, "stage_not_on_path"),
    ({"stage": "retired"}, "stage_not_on_path"),
    ({"stage": "prod"}, "unknown_stage"),
    ({"stage": "y" * 5000}, "unknown_stage"),
    ({"account": "999999999999"}, "unknown_account"),
    ({"account": "22222222222"}, "unknown_account"),
    ({"account": "٢٢٢٢٢٢٢٢٢٢٢٢"}, "unknown_account"),
    ({"account": "9" * 5000}, "unknown_account"),
]


@pytest.mark.parametrize(("changed", "code"), UNKNOWN, ids=range(len(UNKNOWN)))
def test_unknown_is_deny_with_200(world: World, changed: dict[str, str], code: str) -> None:
    said = world.api("ml_engineer").get("gate/", **question(world, **changed))
    assert said["decision"] == "deny"
    assert code in {reason["code"] for reason in said["reasons"]}


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"stage": None}, "stage"),
    ({"account": None}, "account"),
    ({"model_package_arn": None}, "model_package_arn"),
    ({"stage": ""}, "stage"),
    ({"account": " "}, "account"),
    ({"model_package_arn": "a\x00b"}, "model_package_arn"),
    ({"stage": ["qa", "production"]}, "stage"),
    ({"model_version": "1"}, "model_version"),
]


@pytest.mark.parametrize(("changed", "field"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_question_that_is_none_is_400_and_names_the_parameter(
    world: World, changed: dict[str, Any], field: str
) -> None:
    asked = {name: value for name, value in {**question(world), **changed}.items() if value is not None}
    answer = world.api("ml_engineer").client.get("/api/v1/gate/", asked)
    assert field in assert_problem(answer, 400)["errors"]


def test_the_answer_is_kept_by_no_cache_and_the_keys_by_any(world: World) -> None:
    answer = world.api("ml_engineer").client.get("/api/v1/gate/", question(world))
    assert "no-store" in answer["Cache-Control"]
    for client in (Api().client, world.api("ml_engineer").client):
        keys = client.get("/api/v1/gate/keys/")
        assert keys["Cache-Control"] == "public, max-age=300"
        assert "Cookie" not in keys.get("Vary", "")
        assert [set(key) for key in keys.json()["keys"]] == [{"kty", "crv", "x", "y", "kid", "use", "alg"}]
    # A token that is none does not keep anybody from what is public.
    wrong = Api().client.get("/api/v1/gate/keys/", headers={"Authorization": "Token wrong"})
    assert wrong.status_code == 200


def test_rotation_and_revocation_by_an_ml_admin(world: World) -> None:
    admin = world.api("ml_admin")
    token = world.api("ml_engineer").get("gate/", **question(world))["attestation"]
    made = admin.post("gate/keys/rotate/", {"algorithm": "EdDSA", "reason": "Yearly."})
    assert (made["state"], made["algorithm"]) == ("active", "EdDSA")
    assert not [name for name in made if "private" in name]
    assert [key["kid"] for key in Api().get("gate/keys/")["keys"]] == [made["kid"], world.signing_key]
    signing.verify(token, typ=gate.TYP)
    revoked = admin.post(f"gate/keys/{world.signing_key}/revoke/", {"reason": "Lost."}, expect=200)
    assert (revoked["state"], revoked["revocation_reason"]) == ("revoked", "Lost.")
    assert [key["kid"] for key in Api().get("gate/keys/")["keys"]] == [made["kid"]]
    with pytest.raises(signing.BadSignature):
        signing.verify(token, typ=gate.TYP)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("gate/keys/rotate/", {"algorithm": "HS256"}, 400),
        ("gate/keys/rotate/", {"algorithm": "none"}, 400),
        ("gate/keys/rotate/", {"key": "mine"}, 400),
        ("gate/keys/{kid}/revoke/", {}, 400),
        ("gate/keys/{kid}/revoke/", {"reason": " "}, 400),
        ("gate/keys/nothing/revoke/", {"reason": "Lost."}, 404),
        ("gate/keys/a.b/revoke/", {"reason": "Lost."}, 404),
    ],
)
def test_a_key_is_not_touched_without_a_usable_request(
    world: World, path: str, body: dict[str, Any], status: int
) -> None:
    before = fingerprint()
    answer = world.api("ml_admin").call("POST", path.format(kid=world.signing_key), body)
    assert_problem(answer, status)
    assert fingerprint() == before


def test_a_lost_secret_is_a_named_503_and_the_keys_are_still_served(world: World, settings: LazySettings) -> None:
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["x" * 40]
    with undone():
        answer = world.api("ml_engineer").client.get("/api/v1/gate/", question(world))
        assert assert_problem(answer, 503)["code"] == "sealed-with-another-secret"
        assert Api().get("gate/keys/")["keys"]
        world.api("ml_admin").post("gate/keys/rotate/", {})
        assert world.api("ml_engineer").get("gate/", **question(world))["decision"] == "allow"
    assert SigningKey.objects.count() == 1


def test_every_stage_is_asked_about_by_its_word(world: World) -> None:
    for stage in (Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION):
        said = world.api("auditor").get("gate/", **question(world, stage=stage.value))
        assert "unknown_stage" not in {reason["code"] for reason in said["reasons"]}
