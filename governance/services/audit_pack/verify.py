"""Check an audit pack of the Model Governance Portal, offline: python verify.py audit-pack-000001.zip

It needs Python 3.9 or newer and, for the signatures, the package `cryptography`. Nothing is sent anywhere and nothing
is written. The end is 0 when everything holds, 1 when something does not, 2 when it could not all be checked.

  --key-id ID        the key the pack must be signed with: ask the portal, or whoever runs it, not the pack
  --sha256 HASH      the SHA-256 the archive must have
  --no-signatures    check everything else, and count the signatures as checked
"""

from __future__ import annotations

import argparse
import base64
import bisect
import hashlib
import json
import re
import sys
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Optional  # noqa: UP035 - it runs where Python is older than the portal's

FORMAT = 1
MANIFEST, SIGNATURE, KEYS = "manifest.json", "manifest.jws", "chain/keys.json"
PIECE = 1024 * 1024
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)")


class Broken(Exception):
    """What was looked at is not as it must be; the check cannot go on from there."""


class Source:
    """The files of a pack: of an archive, or of the folder it was unpacked into."""

    def __init__(self, path: Any) -> None:
        self.path = path
        self.archive = None if isinstance(path, Path) and path.is_dir() else zipfile.ZipFile(path)

    def names(self) -> list[str]:
        if self.archive is not None:
            return [info.filename for info in self.archive.infolist() if not info.is_dir()]
        return sorted(each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if not each.is_dir())

    def pieces(self, name: str) -> Iterator[bytes]:
        opened = self.archive.open(name) if self.archive is not None else (self.path / name).open("rb")
        with opened as file:
            while piece := file.read(PIECE):
                yield piece

    def read(self, name: str) -> bytes:
        return b"".join(self.pieces(name))

    def json(self, name: str) -> Any:
        try:
            return json.loads(self.read(name))
        except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
            raise Broken(f"{name} cannot be read: {error}") from error


class Report:
    """What was found: problems by the part they were found in, and what holds."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.holds: list[str] = []
        self.signatures_checked = False

    def wrong(self, part: str, text: str) -> None:
        self.problems.append(f"{part}: {text}")

    @property
    def is_sound(self) -> bool:
        return not self.problems


def check(path: Any, *, key_id: str = "", sha256: str = "", signatures: bool = True) -> Report:
    """Check a pack and say what was found; `key_id` and `sha256` are what it must be, when they are given."""
    report = Report()
    try:
        source = Source(path)
        if sha256:
            _archive_hash(source, sha256.strip().lower(), report)
        manifest = source.json(MANIFEST)
        if isinstance(manifest, dict) and manifest.get("format") == FORMAT:
            _Check(source, manifest, report, signatures).run(key_id.strip())
        else:
            report.wrong("the pack", f"{MANIFEST} is not that of a pack of format {FORMAT}")
    except (Broken, OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        report.wrong("the pack", str(error) if isinstance(error, Broken) else f"it cannot be read: {error!r}")
    return report


def check_content(file: Any, manifest: dict[str, Any]) -> Report:
    """Check what an open archive holds by a manifest that is not in it yet."""
    report = Report()
    try:
        _Check(Source(file), manifest, report, True).run_content()
    except (Broken, OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        report.wrong("the pack", str(error) if isinstance(error, Broken) else f"it cannot be read: {error!r}")
    return report


def _archive_hash(source: Source, expected: str, report: Report) -> None:
    if source.archive is None:
        raise Broken("only an archive has a SHA-256, not a folder")
    found = hashlib.sha256()
    with source.path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    if found.hexdigest() != expected:
        report.wrong("archive", f"its SHA-256 is {found.hexdigest()}, not {expected}")


class _Check:
    def __init__(self, source: Source, manifest: dict[str, Any], report: Report, signatures: bool) -> None:
        self.source, self.manifest, self.report, self.signatures = source, manifest, report, signatures
        self.keys: dict[str, dict[str, str]] = {}
        self.states: dict[str, Optional[dict[str, Any]]] = {}  # noqa: UP045 - as the imports
        self.hashes: dict[int, str] = {}
        self.quiet: dict[str, list[str]] = {}

    def run(self, key_id: str) -> None:
        self._files()
        self._keys()
        self._signature(key_id)
        self._content()

    def run_content(self) -> None:
        self._keys()
        self._content()

    def _content(self) -> None:
        self._chain()
        self._anchors()
        rows = self._rows()
        self._decisions(rows)
        self._evidence(rows)

    def _files(self) -> None:
        """Every file is listed and as listed; nothing else is there."""
        names, listed = self.source.names(), {each["path"]: each for each in self.manifest["files"]}
        for name in sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
            self.report.wrong("files", f"{name} is there more than once")
        for name in sorted(set(names) - set(listed) - {MANIFEST, SIGNATURE}):
            self.report.wrong("files", f"{name} does not belong to the pack: the manifest does not list it")
        data = hashlib.sha256()
        for name, each in sorted(listed.items()):
            found, size = hashlib.sha256(), 0
            try:
                for piece in self.source.pieces(name):
                    found.update(piece)
                    size += len(piece)
            except (KeyError, OSError, zipfile.BadZipFile, ValueError) as error:
                self.report.wrong("files", f"{name} is missing or cannot be read ({error})")
                continue
            if (found.hexdigest(), size) != (each["sha256"], each["size"]):
                self.report.wrong("files", f"{name} was changed: its SHA-256 is {found.hexdigest()}")
            if name.startswith(("data/", "chain/", "evidence/")):
                data.update(f"{each['sha256']}  {name}\n".encode())
        if data.hexdigest() != self.manifest["data_sha256"]:
            self.report.wrong("files", "the hash of the data is not the one in the manifest and the document")
        self.report.holds.append(f"{len(listed)} files are those the manifest lists")

    def _keys(self) -> None:
        """A key's id is the thumbprint of the key (RFC 7638), so no key can stand under another one's name."""
        for key in self.source.json(KEYS)["keys"]:
            members = {name: key[name] for name in ("crv", "kty", "x", "y") if name in key}
            canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
            if _b64(hashlib.sha256(canonical).digest()) != key["kid"]:
                self.report.wrong("keys", f"the key {key['kid']} is not the key of that name")
            self.keys[key["kid"]] = key

    def _signature(self, key_id: str) -> None:
        token = self.source.read(SIGNATURE).decode("ascii", "replace")
        claims, kid = self._verified(token, "audit-pack+jwt", "signature of the manifest")
        found = hashlib.sha256(self.source.read(MANIFEST)).hexdigest()
        if claims.get("manifest_sha256") != found:
            self.report.wrong("signature of the manifest", "it is not about this manifest: the manifest was changed")
        if claims.get("pack") != self.manifest["pack"] or kid != self.manifest["key_id"]:
            self.report.wrong("signature of the manifest", "it is about another pack, or of another key")
        if key_id and key_id != kid:
            self.report.wrong("signature of the manifest", f"it is signed with the key {kid}, not with {key_id}")
        if not key_id:
            self.report.notes.append(
                f"It is signed with the key {kid}, which the pack itself brings along. Compare it with the key id the"
                " portal shows, or give that one with --key-id: anybody can sign with a key of his own."
            )
        if self.report.signatures_checked:
            self.report.holds.append(f"the manifest is signed with the key {kid}")

    def _verified(self, token: str, typ: str, part: str) -> tuple[dict[str, Any], str]:
        try:
            head, payload, signature = token.strip().split(".")
            header, claims = json.loads(_unb64(head)), json.loads(_unb64(payload))
        except ValueError:
            raise Broken(f"{part}: it is not a signed token") from None
        key = self.keys.get(header.get("kid"))
        if header.get("typ") != typ:
            self.report.wrong(part, f"it is a token of another kind than {typ}")
        if key is None:
            self.report.wrong(part, f"its key {header.get('kid')} is not among the keys of the pack")
        elif self.signatures:
            self._compare(key, f"{head}.{payload}".encode(), _unb64(signature), part)
        return claims, str(header.get("kid"))

    def _compare(self, key: dict[str, str], signed: bytes, signature: bytes, part: str) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only where it is installed

        try:
            verifier_of(key)(signature, signed)
            self.report.signatures_checked = True
        except (InvalidSignature, ValueError, KeyError) as error:
            self.report.wrong(part, f"the signature does not hold {error}".rstrip())

    def _chain(self) -> None:
        """Every entry gives its hash and names the hash of the entry before it; what it says is kept for the rows."""
        heads, last = self.source.json("chain/heads.json"), None
        self.quiet = {how["table"]: how["quiet"] for how in self.source.json("chain/tables.json").values()}
        ends: dict[str, str] = {}
        counts: dict[str, int] = {}
        for line in self.source.read("chain/entries.jsonl").decode().splitlines():
            entry = json.loads(line)
            number, previous, written = entry["sequence"], entry["previous"], entry["content"]
            said = json.loads(written)
            chain = said[0]
            if last is not None and number <= last:
                self.report.wrong("chain", f"entry {number} stands behind entry {last}: the entries were reordered")
            last = number
            found = hashlib.sha256(bytes.fromhex(previous or "") + written.encode()).hexdigest()
            if found != entry["hash"]:
                self.report.wrong("chain", f"entry {number} does not give its hash: it was changed")
            if chain != f"{said[7]}:{said[8]}":
                self.report.wrong("chain", f"entry {number} is filed under another object than its own")
            if (chain in ends or chain in heads) and previous != ends.get(chain):
                self.report.wrong("chain", f"entry {number} does not continue {chain}: one was removed or put in")
            ends[chain], counts[chain], self.hashes[number] = entry["hash"], counts.get(chain, 0) + 1, entry["hash"]
            if chain in heads:
                self._replay(number, chain, said[9], said[10])
        for chain, head in heads.items():
            if (counts.get(chain, 0), ends.get(chain, "")) != (head["entries"], head["hash"]):
                self.report.wrong("chain", f"{chain} does not end where the manifest says: entries are missing")
        told = self.manifest["chain"]
        if (len(self.hashes), len(heads)) != (told["entries"], told["chains"]):
            self.report.wrong("chain", f"there are {len(self.hashes)} entries, but {told['entries']} were packed")
        self.report.holds.append(
            f"{len(self.hashes)} entries of the audit trail give their hashes, in {len(ends)} chains"
        )

    def _replay(self, number: int, chain: str, action: str, changes: dict[str, Any]) -> None:
        state = self.states.get(chain)
        if action == "delete":
            self.states[chain] = None
        elif action == "insert":
            self.states[chain] = dict(changes)
        else:
            state, quiet = dict(state or {}), self.quiet.get(chain.partition(":")[0], ())
            for name, (before, after) in changes.items():
                # A quiet column may have changed alone since, which is no entry of the trail.
                if name in state and name not in quiet and not _same(state[name], before):
                    self.report.wrong("chain", f"entry {number} changes {name} from what it was not")
                state[name] = after
            self.states[chain] = state

    def _anchors(self) -> None:
        """Each signed anchor covers what it says; entries between anchors would be entries nobody signed."""
        told = self.manifest["chain"]
        listed = [line.split(" ") for line in self.source.read("chain/hashes.txt").decode().splitlines()]
        known = {int(number): digest for number, digest in listed}
        if list(known) != sorted(known) or len(known) != len(listed):
            self.report.wrong("anchors", "chain/hashes.txt is not in order")
        claims: dict[int, dict[str, Any]] = {}
        before = (0, "")
        for number in sorted(told["anchors"]):
            text = self.source.read(f"chain/anchors/{number:010d}.jwt").decode("ascii", "replace")
            claims[number], _ = self._verified(text, "anchor+jwt", f"anchor {number}")
            if claims[number]["number"] != number:
                self.report.wrong("anchors", f"what stands as anchor {number} is another one")
            if before[0] == number - 1 and claims[number]["previous"] != before[1]:
                self.report.wrong("anchors", f"anchor {number} does not continue anchor {number - 1}")
            before = (number, hashlib.sha256(text.encode()).hexdigest())
        shown = [claims[number] for number in sorted(told["anchors_with_hashes"])]
        order = sorted(known)
        for claim in shown:
            self._covered(claim, known, order)
        covered = self._coverage(shown, known, max((claim["last"] for claim in claims.values()), default=-1))
        self.report.holds.append(f"{len(claims)} signed anchors cover {covered} of {len(self.hashes)} entries")

    def _covered(self, claim: dict[str, Any], known: dict[int, str], order: list[int]) -> None:
        covered = _between(order, claim)
        content = b"".join(at.to_bytes(8, "big", signed=True) + bytes.fromhex(known[at]) for at in covered)
        if (len(covered), hashlib.sha256(content).hexdigest()) != (claim["rows"], claim["digest"]):
            self.report.wrong("anchors", f"anchor {claim['number']} signed other entries than these")

    def _coverage(self, shown: list[dict[str, Any]], known: dict[int, str], newest: int) -> int:
        order, covered = sorted(self.hashes), set()
        for claim in shown:
            covered.update(_between(order, claim))
        for number in sorted(covered):
            if known.get(number) != self.hashes[number]:
                self.report.wrong("anchors", f"entry {number} is not the one that was anchored")
        later = sum(number > newest for number in order if number not in covered)
        if len(order) - len(covered) > later:
            bare = len(order) - len(covered) - later
            self.report.wrong("anchors", f"{bare} entries before the newest anchor are in none of these")
        if later:
            self.report.notes.append(f"{later} entries are newer than the newest anchor: only the manifest signs them.")
        return len(covered)

    def _rows(self) -> dict[str, dict[Any, dict[str, Any]]]:
        """What the files in data/ say is what the trail says in the end, row by row and column by column."""
        found: dict[str, dict[Any, dict[str, Any]]] = {}
        seen: set[str] = set()
        for name, how in self.source.json("chain/tables.json").items():
            rows = self.source.json(f"data/{name}.json")
            found[name] = {row[how["key"]]: row for row in rows}
            unwatched = {*how["quiet"], *how["hidden"]}
            for key, row in found[name].items():
                chain = f"{how['table']}:{key}"
                seen.add(chain)
                if chain not in self.states:
                    self.report.notes.append(f"{name} {key} is older than its table's place in the audit trail.")
                    continue
                state = self.states[chain] or {}
                if self.states[chain] is None:
                    self.report.wrong("data", f"{name} {key} is in the data, but the trail says it was deleted")
                for column in sorted((set(row) & set(state)) - unwatched):
                    if not _same(row[column], state[column]):
                        self.report.wrong("data", f"{name} {key}: {column} is not what the audit trail says")
        for chain in sorted(chain for chain, state in self.states.items() if state is not None and chain not in seen):
            self.report.wrong("data", f"{chain} is missing from the data: the trail says it exists")
        self.report.holds.append(f"{len(seen)} rows of data say what the audit trail says")
        return found

    def _decisions(self, rows: dict[str, dict[Any, dict[str, Any]]]) -> None:
        from_requests = [Decisions(rows, self.report, request) for request in rows["approval_requests"].values()]
        asked = set(rows["approval_requests"])
        for decision in rows["decisions"].values():
            if decision["request_id"] not in asked:
                self.report.wrong("decisions", f"decision {decision['id']} is on a request that is not in the pack")
        for each in from_requests:
            each.run()
        self.report.holds.append(f"{len(rows['decisions'])} decisions were looked at for who made them, and on what")

    def _evidence(self, rows: dict[str, dict[Any, dict[str, Any]]]) -> None:
        files = {each["path"]: each["sha256"] for each in self.manifest["files"]}
        told = {each["id"]: each for each in self.manifest["evidence"]}
        copied = 0
        for row in rows["evidence"].values():
            name = f"EV-{row['id']:06d}"
            each = told.get(name)
            if each is None:
                self.report.wrong("evidence", f"{name} is in the data, and nothing says what became of it")
            elif each["path"]:
                copied += 1
                if row["sha256"] != files.get(each["path"]):
                    self.report.wrong("evidence", f"{each['path']} is not what was attached as {name}")
            else:
                self.report.notes.append(f"{name} is not in the pack: {each['why']}")
                if each["state"] in ("altered", "lost"):
                    self.report.wrong("evidence", f"{name} is {each['state']}: {each['why']}")
        for each in self.manifest["left_out"]:
            self.report.notes.append(f"Left out: {each['what']}. {each['why']}")
        self.report.holds.append(
            f"{copied} of {len(rows['evidence'])} pieces of evidence are here, as they were attached"
        )


class Decisions:
    """The decisions on one request: by whom nothing bars, in a role that was asked for, on exactly what was asked."""

    def __init__(self, rows: dict[str, dict[Any, dict[str, Any]]], report: Report, request: dict[str, Any]) -> None:
        self.rows, self.report, self.request = rows, report, request
        self.given = [each for each in rows["decisions"].values() if each["request_id"] == request["id"]]
        self.needs = request["requirements"].get("approvals", []) if isinstance(request["requirements"], dict) else []

    def run(self) -> None:
        """Judge the request and each decision on it."""
        asked = self.request
        if asked["digest"] not in (_digest(asked["facts"]), _digest(_floats(asked["facts"]))):
            self._wrong("its digest is not that of the facts it was decided on")
        for decision in self.given:
            self._one(decision)
        voices = [each["on_behalf_of_id"] or each["decider_id"] for each in self.given]
        if len(set(voices)) < len(voices):
            self._wrong("somebody's word counts twice")
        approving = [each for each in self.given if each["verdict"] == "approve"]
        for need in self.needs if asked["state"] == "approved" else ():
            if sum(each["role"] == need["role"] for each in approving) < need["count"]:
                self._wrong(f"it is approved with fewer than {need['count']} approvals of {need['role']}")

    def _one(self, decision: dict[str, Any]) -> None:
        asked, name = self.request, f"decision {decision['id']}"
        parts = {"requester": "requester_id", "registrant": "registrant_id", "modifier": "modifier_id"}
        for part, column in parts.items():
            for voice in (decision["decider_id"], decision["on_behalf_of_id"]):
                if voice is not None and voice in (asked[column], decision[f"{column}_copy"]):
                    self._wrong(f"{name} was made by or for its {part}")
            if decision[f"{column}_copy"] != asked[column]:
                self._wrong(f"{name} names another {part} than the request")
        if decision["digest"] != asked["digest"]:
            self._wrong(f"{name} is on other content than was asked about")
        if decision["verdict"] != "approve" and not decision["comment"]:
            self._wrong(f"{name} gives no reason")
        if decision["role"] not in {need["role"] for need in self.needs}:
            self._wrong(f"{name} was made as {decision['role']}, which nobody asked for")
        if _moment(decision["decided_at"]) < _moment(asked["created_at"]):
            self._wrong(f"{name} is older than the request")
        if decision["on_behalf_of_id"] is not None:
            self._delegated(decision, name)

    def _delegated(self, decision: dict[str, Any], name: str) -> None:
        lent = self.rows["delegations"].get(decision["delegation_id"])
        at = _moment(decision["decided_at"])
        if lent is None or (lent["delegate_id"], lent["delegator_id"], lent["role"]) != (
            decision["decider_id"],
            decision["on_behalf_of_id"],
            decision["role"],
        ):
            self._wrong(f"{name} rests on no delegation of that role between these two")
        elif not lent["starts_on"] <= at.date().isoformat() <= lent["ends_on"]:
            self._wrong(f"{name} was made on a day its delegation does not cover")
        elif lent["revoked_at"] and _moment(lent["revoked_at"]) < at:
            self._wrong(f"{name} was made after its delegation was revoked")

    def _wrong(self, text: str) -> None:
        self.report.wrong("decisions", f"AR-{self.request['id']:06d}: {text}")


def verifier_of(key: dict[str, str]) -> Callable[[bytes, bytes], None]:
    """Return what checks signature and content by a public key, and raises InvalidSignature (RFC 7518, RFC 8037)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils  # noqa: PLC0415 - only where installed
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

    if (key["kty"], key["crv"]) == ("OKP", "Ed25519"):
        return ed25519.Ed25519PublicKey.from_public_bytes(_unb64(key["x"])).verify
    if (key["kty"], key["crv"]) != ("EC", "P-256"):
        raise ValueError("with a key of a kind the portal does not use")
    numbers = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
    public = numbers.public_key()

    def verify(signature: bytes, content: bytes) -> None:
        halves = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"))
        if len(signature) != 64:
            raise ValueError("of that length")
        public.verify(utils.encode_dss_signature(*halves), content, ec.ECDSA(SHA256()))

    return verify


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same; the same moment may be written in two zones of time."""
    if one == other and type(one) is type(other):
        return True
    if isinstance(one, str) and isinstance(other, str) and _MOMENT.fullmatch(one) and _MOMENT.fullmatch(other):
        return _moment(one) == _moment(other)
    return bool(one == other) and not isinstance(one, bool) and not isinstance(other, bool)


def _moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise Broken(f"{text} is no moment")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(microsecond=int((fraction or "0").ljust(6, "0")))
    if zone == "Z":
        return moment.replace(tzinfo=timezone.utc)  # noqa: UP017 - as the imports
    sign, hours, minutes = zone[0], int(zone[1:3]), int(zone[3:].strip(":") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return moment.replace(tzinfo=timezone(offset if sign == "+" else -offset))


def _digest(value: Any) -> str:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return f"v1:{hashlib.sha256(written).hexdigest()}"


def _floats(value: Any) -> Any:
    """Return a value as it was before the database wrote its large numbers with decimals out as whole ones."""
    if isinstance(value, dict):
        return {name: _floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**16 else value


def _between(order: list[int], claim: dict[str, Any]) -> list[int]:
    """Return those of the numbers, which are in order, that an anchor covers."""
    return order[bisect.bisect_left(order, claim["first"]) : bisect.bisect_right(order, claim["last"])]


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_unb64(text), "big")


def _joined(arguments: list[str]) -> list[str]:
    """Write `--key-id ID` as `--key-id=ID`: one key in 64 begins with a dash, which is taken for an option else."""
    rest = iter(arguments)
    return [f"--key-id={next(rest, '')}" if one == "--key-id" else one for one in rest]


def main(arguments: list[str]) -> int:
    """Check the pack that is named, print what was found, and return how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path, help="the archive, or the folder it was unpacked into")
    parser.add_argument("--key-id", default="")
    parser.add_argument("--sha256", default="")
    parser.add_argument("--no-signatures", action="store_true")
    given = parser.parse_args(_joined(arguments))
    try:
        import cryptography  # noqa: F401, PLC0415 - whether it is installed
    except ImportError:
        signatures = False
    else:
        signatures = not given.no_signatures
    report = check(given.pack, key_id=given.key_id, sha256=given.sha256, signatures=signatures)
    say = [f"  holds   {line}" for line in report.holds] if report.is_sound else []
    say += [f"  note    {line}" for line in report.notes]
    say += [f"  WRONG   {line}" for line in report.problems]
    unchecked = not signatures
    if unchecked:
        say.append(
            "  note    SIGNATURES WERE NOT CHECKED: install `cryptography`, or everything may be somebody else's."
        )
    if not report.is_sound:
        say.append(f"\nNOT SOUND: {len(report.problems)} things are wrong. Do not rely on this pack.")
    elif unchecked and not given.no_signatures:
        say.append("\nNOT FULLY CHECKED: everything else holds, but nobody knows who made it.")
    else:
        say.append("\nSOUND" + (", apart from the signatures, which were not checked." if unchecked else "."))
    sys.stdout.write("\n".join(say) + "\n")
    return 1 if not report.is_sound else 2 if unchecked and not given.no_signatures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
