"""What a pipeline keeps: the very script of the documents judges real answers, forged ones and old ones, offline."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.choices import SigningAlgorithm
from governance.services import gate, signing
from governance.services.gate import GateAnswer
from portal.core.vocabulary import Role, Stage, Status
from tests.architecture.sources import PROJECT
from tests.factories import Cast, at_stage, group, person, use_case, version

from .conftest import Place

SCRIPT = PROJECT / "docs" / "examples" / "verify_gate.py"
QA_ACCOUNT = "333333333333"


class Verifier:
    """A folder with the key set as it was fetched, and the script run on tokens put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keep_keys()

    def keep_keys(self, keys: dict[str, Any] | None = None) -> None:
        (self.folder / "jwks.json").write_text(json.dumps(signing.jwks() if keys is None else keys))

    def judge(self, token: str, *deployment: str) -> tuple[int, str]:
        (self.folder / "token").write_text(token + "\n")
        # Nothing of this project, its settings or its database is within reach.
        done = subprocess.run(
            [sys.executable, "-I", SCRIPT, "token", "jwks.json", *deployment],
            cwd=self.folder,
            env={},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def verifier(place: Place, tmp_path: Path) -> Verifier:
    signing.active_key()
    return Verifier(tmp_path)


@pytest.fixture
def allowed(place: Place, people: Cast, verifier: Verifier) -> GateAnswer:
    made = at_stage(
        people, version(group(place.project, people, use_case(people, place.project))), Stage.QA, Status.APPROVED
    )
    answer = gate.ask(people.engineer.actor, made.arn, "qa", QA_ACCOUNT)
    assert answer.is_allowed, answer.reasons
    return answer


def deployment(answer: GateAnswer) -> tuple[str, str, str]:
    return answer.model_package_arn, answer.stage, answer.account


def test_the_script_is_short_and_stands_alone() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 120
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {*sys.stdlib_module_names, "jwt"}


def test_an_answer_that_allows_is_accepted(verifier: Verifier, allowed: GateAnswer) -> None:
    code, said = verifier.judge(allowed.attestation, *deployment(allowed))
    assert (code, said.strip()) == (0, "allow")


def test_an_answer_that_denies_is_genuine_and_refuses_with_every_reason(
    verifier: Verifier, allowed: GateAnswer, people: Cast
) -> None:
    denied = gate.ask(people.engineer.actor, allowed.model_package_arn, "production", QA_ACCOUNT)
    code, said = verifier.judge(denied.attestation, *deployment(denied))
    assert code == 1
    assert said.startswith("deny")
    assert all(reason.code in said for reason in denied.reasons)


def test_what_it_was_not_asked_about_is_not_allowed_by_it(verifier: Verifier, allowed: GateAnswer) -> None:
    arn, stage, account = deployment(allowed)
    for other in ((f"{arn}0", stage, account), (arn, "production", account), (arn, stage, "444444444444")):
        code, said = verifier.judge(allowed.attestation, *other)
        assert code == 1
        assert said.startswith("refused"), said


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_answers_stay_good_after_a_rotation_and_not_after_a_revocation(
    verifier: Verifier, allowed: GateAnswer, algorithm: SigningAlgorithm, people: Cast
) -> None:
    old = jwt.get_unverified_header(allowed.attestation)["kid"]
    admin = person(Role.ML_ADMIN).actor
    signing.rotate(actor=admin, algorithm=algorithm)
    fresh = gate.ask(people.engineer.actor, *deployment(allowed))
    assert verifier.judge(fresh.attestation, *deployment(fresh))[0] == 1, "the kept key set does not have the new key"
    verifier.keep_keys()
    for answer in (allowed, fresh):
        assert verifier.judge(answer.attestation, *deployment(answer)) == (0, "allow\n")
    signing.revoke(actor=admin, kid=old, reason="It leaked.")
    verifier.keep_keys()
    assert verifier.judge(allowed.attestation, *deployment(allowed))[0] == 1
    assert verifier.judge(fresh.attestation, *deployment(fresh))[0] == 0


def test_expiry_is_judged_at_the_time_of_the_deployment(verifier: Verifier, allowed: GateAnswer) -> None:
    def at(moment: datetime) -> int:
        return verifier.judge(allowed.attestation, *deployment(allowed), moment.isoformat())[0]

    assert at(allowed.checked_at) == 0
    assert at(allowed.expires_at - timedelta(seconds=1)) == 0
    assert at(allowed.expires_at) == 1
    assert at(allowed.checked_at - timedelta(seconds=1)) == 1
    claims = signing.verify(allowed.attestation, typ=gate.TYP)
    long_ago = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
    old = signing.sign(
        {**claims, "iat": int(long_ago.timestamp()), "exp": int(long_ago.timestamp()) + 900}, typ=gate.TYP
    )
    assert verifier.judge(old, *deployment(allowed))[0] == 1
    assert verifier.judge(old, *deployment(allowed), "2025-03-01T12:14:59Z") == (0, "allow\n")
    assert verifier.judge(old, *deployment(allowed), "2025-03-01T12:15:00+00:00")[0] == 1


def part(value: dict[str, Any] | bytes) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def by_hmac(claims: dict[str, Any], kid: str, secret: bytes, algorithm: str = "HS256") -> str:
    signed = f"{part({'alg': algorithm, 'kid': kid, 'typ': gate.TYP})}.{part(claims)}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def public_pem(jwk: dict[str, str]) -> bytes:
    pem: bytes = jwt.PyJWK(jwk).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


Forgery = Callable[[str, dict[str, Any], dict[str, str]], str]
FORGED: dict[str, Forgery] = {
    "tampered with": lambda token, claims, jwk: ".".join(
        (token.split(".")[0], part({**claims, "account": "444444444444"}), token.split(".")[2])
    ),
    "another header": lambda token, claims, jwk: ".".join(
        (part({"alg": "ES256", "kid": jwk["kid"], "typ": "gate+jwt", "x": 1}), *token.split(".")[1:])
    ),
    "signed by a stranger under our name": lambda token, claims, jwk: jwt.encode(
        claims, generate_private_key(SECP256R1()), "ES256", headers={"kid": jwk["kid"], "typ": gate.TYP}
    ),
    "signed by a stranger with another algorithm": lambda token, claims, jwk: jwt.encode(
        claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": jwk["kid"], "typ": gate.TYP}
    ),
    "signed by an unknown key": lambda token, claims, jwk: jwt.encode(
        claims, generate_private_key(SECP256R1()), "ES256", headers={"kid": "other", "typ": gate.TYP}
    ),
    "without a key id": lambda token, claims, jwk: jwt.encode(
        claims, generate_private_key(SECP256R1()), "ES256", headers={"typ": gate.TYP}
    ),
    "with the stranger's own key in its header": lambda token, claims, jwk: _with_own_key(claims),
    "alg none": lambda token, claims, jwk: (
        f"{part({'alg': 'none', 'kid': jwk['kid'], 'typ': gate.TYP})}.{part(claims)}."
    ),
    "alg none with our signature": lambda token, claims, jwk: (
        f"{part({'alg': 'None', 'kid': jwk['kid'], 'typ': gate.TYP})}.{part(claims)}.{token.split('.')[2]}"
    ),
    "HS256 with the public key as PEM": lambda token, claims, jwk: by_hmac(claims, jwk["kid"], public_pem(jwk)),
    "HS256 with the public key as JSON": lambda token, claims, jwk: by_hmac(
        claims, jwk["kid"], json.dumps(jwk).encode()
    ),
    "HS256 with nothing": lambda token, claims, jwk: by_hmac(claims, jwk["kid"], b""),
    "HMAC said to be ES256": lambda token, claims, jwk: by_hmac(claims, jwk["kid"], public_pem(jwk), "ES256"),
    "signed here for something else": lambda token, claims, jwk: signing.sign(claims, typ="anchor+jwt"),
    "signed here without a subject": lambda token, claims, jwk: signing.sign(
        {name: value for name, value in claims.items() if name != "sub"}, typ=gate.TYP
    ),
    "signed here without an audience": lambda token, claims, jwk: signing.sign(
        {name: value for name, value in claims.items() if name != "aud"}, typ=gate.TYP
    ),
    "signed here without an end": lambda token, claims, jwk: signing.sign(
        {name: value for name, value in claims.items() if name != "exp"}, typ=gate.TYP
    ),
    "empty": lambda token, claims, jwk: "",
    "words": lambda token, claims, jwk: "allow",
    "binary": lambda token, claims, jwk: "\x00\x01.\x02.\x03",
}


def _with_own_key(claims: dict[str, Any]) -> str:
    private = generate_private_key(SECP256R1())
    own = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return jwt.encode(claims, private, "ES256", headers={"typ": gate.TYP, "jwk": own, "kid": "own", "jku": "http://x/"})


@pytest.mark.parametrize("how", FORGED)
def test_what_the_portal_did_not_say_is_refused(verifier: Verifier, allowed: GateAnswer, how: str) -> None:
    claims = signing.verify(allowed.attestation, typ=gate.TYP)
    (jwk,) = signing.jwks()["keys"]
    forged = FORGED[how](allowed.attestation, claims, jwk)
    code, said = verifier.judge(forged, *deployment(allowed))
    assert code == 1, said
    assert said.startswith("refused"), said


def test_a_call_it_cannot_use_is_refused(verifier: Verifier, allowed: GateAnswer) -> None:
    for arguments in ((), ("only-an-arn",), (*deployment(allowed), "yesterday")):
        code, said = verifier.judge(allowed.attestation, *arguments)
        assert code == 1
        assert "verify_gate.py TOKEN_FILE JWKS_FILE" in said
    for keys in ({}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}):
        verifier.keep_keys(keys)
        assert verifier.judge(allowed.attestation, *deployment(allowed))[0] == 1
