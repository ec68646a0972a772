"""The verifier finds every way somebody may have gone at a pack; each tampering is what such a person would do."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from governance.services.audit_pack import verify

from .conftest import Made

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files(made: Made) -> Files:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files, *more: tuple[str, bytes]) -> io.BytesIO:
    """Return an archive of these files, and of more that may have the same names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in [*files.items(), *more]:
            archive.writestr(name, content)
    return made


def relisted(files: Files) -> Files:
    """Have the manifest list the files as they are now, as somebody would who cannot sign it."""
    manifest = json.loads(files["manifest.json"])
    names = sorted(name for name in files if name not in ("manifest.json", "manifest.jws"))
    manifest["files"] = [
        {"path": name, "sha256": hashlib.sha256(files[name]).hexdigest(), "size": len(files[name])} for name in names
    ]
    data = "".join(
        f"{each['sha256']}  {each['path']}\n"
        for each in manifest["files"]
        if each["path"].startswith(("data/", "chain/", "evidence/"))
    )
    manifest["data_sha256"] = hashlib.sha256(data.encode()).hexdigest()
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def signed_anew(files: Files) -> Files:
    """Replace the key by one of one's own and sign the manifest with it, consistently."""
    private = generate_private_key(SECP256R1())
    numbers = private.public_key().public_numbers()
    key = {"kty": "EC", "crv": "P-256", **{axis: _b64(getattr(numbers, axis).to_bytes(32, "big")) for axis in "xy"}}
    kid = _b64(hashlib.sha256(json.dumps(key, sort_keys=True, separators=(",", ":")).encode()).digest())
    keys = json.loads(files["chain/keys.json"])["keys"]
    mine = {"keys": [{**key, "kid": kid, "use": "sig", "alg": "ES256"}, *keys]}
    files = relisted({**files, "chain/keys.json": json.dumps(mine).encode()})
    manifest = json.loads(files["manifest.json"]) | {"key_id": kid}
    files["manifest.json"] = json.dumps(manifest).encode()
    claims = {"pack": manifest["pack"], "manifest_sha256": hashlib.sha256(files["manifest.json"]).hexdigest()}
    head = _b64(json.dumps({"alg": "ES256", "kid": kid, "typ": "audit-pack+jwt"}).encode())
    body = f"{head}.{_b64(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(private.sign(body.encode(), ECDSA(SHA256())))
    files["manifest.jws"] = f"{body}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}".encode()
    return files


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _lines(files: Files, change: Callable[[list[str]], list[str]], name: str = "chain/entries.jsonl") -> Files:
    lines = change(files[name].decode().splitlines())
    return {**files, name: ("\n".join(lines) + "\n").encode()}


def _rows(files: Files, name: str, **values: Any) -> Files:
    rows = json.loads(files[name])
    rows[0].update(values)
    return {**files, name: json.dumps(rows).encode()}


def _reworded(lines: list[str]) -> list[str]:
    """Change what an entry says and give it, and all behind it in its chain, hashes that fit."""
    entries = [json.loads(line) for line in lines]
    number = next(index for index, each in enumerate(entries) if "governance_decision:" in each["content"])
    entries[number]["content"] = entries[number]["content"].replace('"approve"', '"reject"')
    last: dict[str, str] = {}
    for each in entries:
        chain = json.loads(each["content"])[0]
        each["previous"] = last.get(chain)
        each["hash"] = hashlib.sha256(bytes.fromhex(each["previous"] or "") + each["content"].encode()).hexdigest()
        last[chain] = each["hash"]
    return [json.dumps(each) for each in entries]


def _without_decision(files: Files) -> Files:
    """Take a decision out of the data and out of the trail, and count again."""
    rows = json.loads(files["data/decisions.json"])
    gone = f"governance_decision:{rows[0]['id']}"
    files = _lines(files, lambda lines: [line for line in lines if gone not in line])
    heads = json.loads(files["chain/heads.json"])
    del heads[gone]
    manifest = json.loads(files["manifest.json"])
    manifest["chain"]["chains"] -= 1
    manifest["chain"]["entries"] = len(files["chain/entries.jsonl"].splitlines())
    return {
        **files,
        "data/decisions.json": json.dumps(rows[1:]).encode(),
        "chain/heads.json": json.dumps(heads).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }


def _swapped_key(files: Files) -> Files:
    other = signed_anew(files)
    key = json.loads(other["chain/keys.json"])["keys"][0]
    keys = json.loads(files["chain/keys.json"])["keys"]
    keys[0] |= {"x": key["x"], "y": key["y"]}
    return {**files, "chain/keys.json": json.dumps({"keys": keys}).encode()}


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _evidence(files: Files) -> str:
    return next(name for name in files if name.startswith("evidence/"))


# What somebody did to the files; whether he had the manifest list them again; a word of what is said about it.
TAMPERINGS: dict[str, tuple[Callable[[Files], Files], bool, str]] = {
    "a byte of the document": (lambda f: {**f, "pack.pdf": _flipped(f["pack.pdf"], 900)}, False, "was changed"),
    "a byte of evidence": (lambda f: {**f, _evidence(f): _flipped(f[_evidence(f)], 3)}, False, "was changed"),
    "another verifier": (lambda f: {**f, "verify.py": b"print('SOUND')"}, False, "verify.py was changed"),
    "a file more": (lambda f: {**f, "data/more.json": b"[]"}, False, "does not belong"),
    "a file fewer": (lambda f: {n: c for n, c in f.items() if n != "data/overrides.json"}, False, "is missing"),
    "no signature": (lambda f: {n: c for n, c in f.items() if n != "manifest.jws"}, False, "manifest.jws"),
    "a file fewer, listed anew": (
        lambda f: {n: c for n, c in f.items() if n != "data/overrides.json"},
        True,
        "the manifest was changed",
    ),
    "another manifest": (
        lambda f: {**f, "manifest.json": f["manifest.json"].replace(b"UC-0", b"UC-9")},
        False,
        "changed",
    ),
    "another signature": (
        lambda f: {**f, "manifest.jws": f["manifest.jws"][:-8] + b"AAAAAAAA"},
        False,
        "does not hold",
    ),
    "evidence replaced": (lambda f: {**f, _evidence(f): b"%PDF-1.7 other"}, True, "not what was attached"),
    "a decision turned round": (
        lambda f: _rows(f, "data/decisions.json", verdict="reject", comment="No."),
        True,
        "is not what the audit trail says",
    ),
    "a decider replaced": (
        lambda f: _rows(
            f, "data/decisions.json", decider_id=json.loads(f["data/approval_requests.json"])[0]["requester_id"]
        ),
        True,
        "was made by or for its requester",
    ),
    "a digest replaced": (
        lambda f: _rows(f, "data/approval_requests.json", digest="v1:0"),
        True,
        "not that of the facts",
    ),
    "a finding left out": (lambda f: {**f, "data/findings.json": b"[]"}, True, "is missing from the data"),
    "an entry fewer": (lambda f: _lines(f, lambda lines: lines[:5] + lines[6:]), True, "entries are missing"),
    "the last entry fewer": (lambda f: _lines(f, lambda lines: lines[:-1]), True, "entries are missing"),
    "entries in another order": (
        lambda f: _lines(f, lambda lines: [lines[1], lines[0], *lines[2:]]),
        True,
        "reordered",
    ),
    "an entry reworded": (
        lambda f: _lines(f, lambda lines: [line.replace("approve", "reject_") for line in lines]),
        True,
        "does not give its hash",
    ),
    "an entry reworded, hashes too": (lambda f: _lines(f, _reworded), True, "is not the one that was anchored"),
    "a decision gone without a trace": (_without_decision, True, "the manifest was changed"),
    "hashes of others taken out": (
        lambda f: _lines(f, lambda lines: lines[1:], "chain/hashes.txt"),
        True,
        "signed other entries",
    ),
    "a key replaced": (_swapped_key, True, "is not the key of that name"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_is_found(name: str, files: Files) -> None:
    change, lists_anew, words = TAMPERINGS[name]
    tampered = change(dict(files))
    report = verify.check(packed(relisted(tampered) if lists_anew else tampered))
    assert not report.is_sound
    assert any(words in problem for problem in report.problems), report.problems


@pytest.mark.parametrize(
    "name", ["evidence replaced", "a decision turned round", "an entry reworded, hashes too", "a finding left out"]
)
def test_a_key_of_ones_own_helps_nobody(name: str, files: Files) -> None:
    """Whoever signs what he changed with his own key is still found by the data, and by the key that was told."""
    forged = packed(signed_anew(TAMPERINGS[name][0](dict(files))))
    assert not verify.check(forged).is_sound


def test_a_pack_signed_by_somebody_else(files: Files, made: Made) -> None:
    """What is consistent in itself is still not the portal's: the key tells."""
    forged = packed(signed_anew(dict(files)))
    found = verify.check(forged)
    assert found.is_sound
    assert "anybody can sign with a key of his own" in " ".join(found.notes)
    assert "it is signed with the key" in " ".join(verify.check(forged, key_id=made.pack.key_id).problems)


def test_two_files_of_one_name(files: Files) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = packed(files, ("data/decisions.json", b"[]"))
    assert "more than once" in " ".join(verify.check(twice).problems)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive at all", b"PK\x03\x04"])
def test_what_is_no_pack(content: bytes) -> None:
    assert not verify.check(io.BytesIO(content)).is_sound


@pytest.mark.parametrize("manifest", [b"{", b"[]", b'{"format": 2}', b'{"format": 1}', b'{"format": 1, "files": 3}'])
def test_a_manifest_that_is_none(manifest: bytes, files: Files) -> None:
    assert not verify.check(packed({**files, "manifest.json": manifest})).is_sound


# The script itself, as an auditor runs it


def run(*arguments: object, without_cryptography: bool = False) -> tuple[int, str]:
    """Run verify.py alone; `-I` leaves it nothing of the portal, `-S` not even what is installed."""
    command = [sys.executable, "-I", *(["-S"] if without_cryptography else []), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_script(made: Made, files: Files, tmp_path: Path) -> None:
    pack, script = tmp_path / "pack.zip", tmp_path / "verify.py"
    pack.write_bytes(made.archive)
    script.write_bytes(files["verify.py"])
    code, told = run(script, pack, "--sha256", made.pack.sha256, "--key-id", made.pack.key_id)
    assert (code, told.splitlines()[-1]) == (0, "SOUND."), told
    assert "2 decisions were looked at" in told
    code, told = run(script, pack, "--sha256", "0" * 64)
    assert code == 1
    assert "NOT SOUND" in told
    code, told = run(script, pack, "--key-id", "-of-another")
    assert code == 1
    assert f"it is signed with the key {made.pack.key_id}, not with -of-another" in told
    code, told = run(script, pack, without_cryptography=True)
    assert code == 2
    assert "SIGNATURES WERE NOT CHECKED" in told
    assert run(script, pack, "--no-signatures", without_cryptography=True)[0] == 0
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    assert run(script, folder)[0] == 0
    (folder / "data" / "more.txt").write_text("put in")
    assert run(script, folder)[0] == 1
    assert run(script, tmp_path / "nowhere.zip")[0] == 1
