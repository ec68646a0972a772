"""The lists of an audit pack that people open in a spreadsheet: names instead of numbers, no cell a formula. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portal.core.cells import lines
from portal.core.templatetags.palette import plain_words
from portal.core.vocabulary import EvidenceKind

from ...policies.engine import evidence_words
from .contents import Read, Rows

Row = Mapping[str, Any]


class Names:
    """The names people know things by, from the rows of a pack."""

    def __init__(self, found: Read) -> None:
        self.found = found

    def person(self, number: int | None) -> str:
        """Return a person's name, "" for nobody."""
        return self.found.people.get(number, f"person {number}") if number is not None else ""

    def actor(self, name: str) -> str:
        """Return the person behind a user name of the ledger, or the part of the portal it names."""
        return self.found.usernames.get(name, name.replace("system:", "the portal's "))

    def account(self, number: int | None) -> str:
        """Return alias and twelve digits of an AWS account, "" for none."""
        return self.found.accounts.get(number, f"account {number}") if number is not None else ""

    def use_case(self, number: int | None) -> str:
        """Return "UC-0001 Credit risk", "" for none."""
        row = self._row("use_cases", number)
        return f"UC-{row['number']:04d} {row['name']}" if row else ""

    def group(self, number: int | None) -> str:
        """Return the name of a model group, "" for none."""
        row = self._row("model_groups", number)
        return str(row["name"]) if row else ""

    def version(self, number: int | None) -> str:
        """Return "credit-risk/3", "" for none."""
        row = self._row("model_versions", number)
        return f"{self.group(row['group_id']) or 'group ' + str(row['group_id'])}/{row['number']}" if row else ""

    def project(self, number: int | None) -> str:
        """Return the name of a project, "" for none."""
        row = self._row("projects", number)
        return str(row["name"]) if row else ""

    def subject(self, row: Row) -> str:
        """Return the name of what a row is about: a use case, a version or a group."""
        return (
            self.use_case(row.get("use_case_id"))
            or self.version(row.get("version_id"))
            or self.group(row.get("group_id"))
        )

    def policy(self, number: int | None) -> str:
        """Return "Policy 3", "" for none."""
        row = self._row("policies", number)
        return f"Policy {row['number']}" if row else ""

    def _row(self, part: str, number: int | None) -> dict[str, Any] | None:
        return self.found.rows[part].get(number) if number is not None else None


def plain(value: Any) -> str:
    """Return a stored word as people say it, "" for none."""
    return plain_words(value) if value not in (None, "") else ""


_Columns = dict[str, Callable[[Names, dict[str, Any]], Any]]


def _of(column: str) -> Callable[[Names, dict[str, Any]], Any]:
    return lambda _, row: row[column]


def _words(column: str) -> Callable[[Names, dict[str, Any]], Any]:
    return lambda _, row: plain(row[column])


def _person(column: str) -> Callable[[Names, dict[str, Any]], Any]:
    return lambda names, row: names.person(row[column])


def _id(prefix: str, width: int = 6, column: str = "id") -> Callable[[Names, dict[str, Any]], Any]:
    return lambda _, row: f"{prefix}-{row[column]:0{width}d}" if row[column] is not None else ""


def _about(names: Names, row: dict[str, Any]) -> str:
    return names.subject(row)


def _of_request(names: Names, row: dict[str, Any]) -> dict[str, Any]:
    return names.found.rows["approval_requests"].get(row["request_id"], {})


SHEETS: dict[str, _Columns] = {
    "use_cases": {
        "id": _id("UC", 4, "number"),
        "name": _of("name"),
        "project": lambda names, row: names.project(row["project_id"]),
        "risk class": _words("risk_class"),
        "stage": _words("stage"),
        "status": _words("status"),
        "business owner": _of("business_owner"),
        "model owner": _person("model_owner_id"),
        "next review": _of("next_review_on"),
        "registered by": _person("registered_by_id"),
        "registered at": _of("registered_at"),
    },
    "model_versions": {
        "version": lambda names, row: names.version(row["id"]),
        "ARN": _of("arn"),
        "stage": _words("stage"),
        "status": _words("status"),
        "risk rating": _words("risk_rating"),
        "status in SageMaker": _of("aws_approval_status"),
        "content digest": _of("content_digest"),
        "artifact": _of("artifact_url"),
        "registered by": lambda names, row: names.person(row["registered_by_id"]) or row["registrant_arn"],
        "created in SageMaker": _of("aws_created_at"),
    },
    "stage_events": {
        "at": _of("at"),
        "about": _about,
        "verb": _words("verb"),
        "stage": _words("stage"),
        "from": _words("from_status"),
        "to": _words("status"),
        "account": lambda names, row: names.account(row["account_id"]),
        "by": lambda names, row: names.actor(row["actor"]),
        "reason": _of("reason"),
        "request": _id("AR", 6, "request_id_copy"),
    },
    "approval_requests": {
        "id": _id("AR"),
        "about": _about,
        "stage": _words("stage"),
        "state": _words("state"),
        "risk tier": _words("tier"),
        "asked by": _person("requester_id"),
        "asked at": _of("created_at"),
        "note": _of("note"),
        "policy": lambda names, row: names.policy(row["policy_id"]),
        "digest": _of("digest"),
        "due": _of("due_at"),
        "closed": _of("closed_at"),
        "closing note": _of("closing_note"),
    },
    "decisions": {
        "request": _id("AR", 6, "request_id"),
        "about": lambda names, row: names.subject(_of_request(names, row)),
        "stage": lambda names, row: plain(_of_request(names, row).get("stage")),
        "verdict": _words("verdict"),
        "decided by": lambda names, row: names.person(row["decider_id"]) or row["decider_name"],
        "role": _words("role"),
        "in the name of": _person("on_behalf_of_id"),
        "source": _words("source"),
        "AWS principal": _of("aws_principal"),
        "comment": _of("comment"),
        "decided at": _of("decided_at"),
        "policy": lambda names, row: names.policy(_of_request(names, row).get("policy_id")),
        "digest": _of("digest"),
    },
    "delegations": {
        "delegate": _person("delegate_id"),
        "in the name of": _person("delegator_id"),
        "role": _words("role"),
        "project": lambda names, row: names.project(row["project_id"]) or "everywhere",
        "from": _of("starts_on"),
        "to": _of("ends_on"),
        "reason": _of("reason"),
        "revoked at": _of("revoked_at"),
    },
    "evidence": {
        "id": _id("EV"),
        "about": _about,
        "kind": lambda _, row: evidence_kind(row["kind"]),
        "title": _of("title"),
        "edition": _of("edition"),
        "file": _of("filename"),
        "size": _of("size"),
        "SHA-256": _of("sha256"),
        "S3 address": _of("s3_uri"),
        "S3 version id": _of("s3_version_id"),
        "S3 ETag": _of("s3_etag"),
        "attached by": lambda names, row: names.person(row["author_id"]) or row["author_name"],
        "attached at": _of("added_at"),
        "superseded at": _of("superseded_at"),
        "withdrawn at": _of("withdrawn_at"),
        "withdrawn because": _of("withdrawal_reason"),
    },
    "overrides": {
        "id": _id("BG"),
        "about": _about,
        "stage": _words("stage"),
        "rule": _of("check_label"),
        "reason": _of("reason"),
        "granted by": _person("granted_by_id"),
        "granted at": _of("granted_at"),
        "expires": _of("expires_at"),
        "revoked at": _of("revoked_at"),
        "revoked by": _of("revoked_by"),
    },
    "findings": {
        "id": _id("FND"),
        "about": _about,
        "kind": _words("kind"),
        "severity": _words("severity"),
        "state": _words("state"),
        "summary": _of("summary"),
        "owner": _person("owner_id"),
        "due": _of("due_on"),
        "first seen": _of("first_seen_at"),
        "closed": _of("closed_at"),
        "accepted until": _of("accepted_until"),
        "accepted because": _of("acceptance_reason"),
    },
    "version_reports": {
        "version": lambda names, row: names.version(row["version_id"]),
        "report": _words("kind"),
        "lies in": _of("address"),
        "ETag": _of("content_etag"),
        "SHA-256": _of("sha256"),
        "SHA-256 in the package": _of("expected_sha256"),
        "written": _of("written_at"),
        "read": _of("content_read_at"),
        "looked at": _of("read_at"),
        "what is wrong": _of("sentence"),
        "pointed at until": _of("replaced_at"),
    },
    "deployments": {
        "version": lambda names, row: names.version(row["version_id"]),
        "stage": _words("stage"),
        "account": lambda names, row: names.account(row["account_id"]),
        "region": _of("region"),
        "mode": _words("mode"),
        "state": _words("state"),
        "endpoint": _of("endpoint"),
        "ordered": _of("ordered_at"),
        "reported": _of("reported_at"),
    },
    "write_backs": {
        "about": _about,
        "kind": _words("kind"),
        "what": _of("summary"),
        "state": _words("state"),
        "attempts": _of("attempts"),
        "request": _id("AR", 6, "request_id_copy"),
        "written": _of("created_at"),
        "delivered": _of("delivered_at"),
        "error": _of("last_error"),
    },
}


def evidence_kind(kind: str) -> str:
    """Return a kind of evidence in words; one this portal does not know any more as it is stored."""
    return evidence_words(EvidenceKind(kind)) if kind in set(EvidenceKind) else plain(kind)


def sheet(name: str, found: Read) -> Iterator[bytes]:
    """Yield one list as CSV, a row at a time, UTF-8 with the mark by which spreadsheets know it."""
    names, columns = Names(found), SHEETS[name]
    rows = ({head: make(names, row) for head, make in columns.items()} for row in _sorted(found.rows[name]))
    yield "\ufeff".encode()
    for line in lines(list(columns), rows):
        yield line.encode()


def _sorted(rows: Rows) -> Iterable[dict[str, Any]]:
    return (rows[number] for number in sorted(rows))
