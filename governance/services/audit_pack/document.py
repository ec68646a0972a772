"""What the document of an audit pack says: its cover, the summary, one chapter per use case and model group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.ai_act import DISCLAIMER

from ...models import AuditPack
from ...policies.facts import Requirements
from ...selectors.pack_parts import LABELS
from .contents import Read, moment_words
from .glossary import GLOSSARY
from .phrases import at, by, count, figure, short, state
from .sheets import Names, evidence_kind, plain
from .typeset import Part, code, heading, label, listing, notice, pairs, words

_OUTCOMES = {
    "pass": ("holds", "good"),
    "fail": ("fails", "bad"),
    "missing": ("not reported", "warn"),
    "overridden": ("set aside", "warn"),
}
_DISCLAIMER = (
    "This document is a reading of the data beside it. Where the two differ, the data counts; what shows that the data"
    " is as it was written is verify.py, which needs nothing of the portal."
)
_VERDICTS = {"approve": "good", "reject": "bad", "request_changes": "warn"}
_DECISION_COLUMNS = [("When (UTC)", 1.2), ("Who", 1.3), ("As", 1), ("Verdict", 0.9), ("Comment", 2)]
_OPEN_FINDING = ("open", "acknowledged")
Row = Mapping[str, Any]


class Document:
    """The chapters of one pack, from what its snapshot read."""

    def __init__(self, pack: AuditPack, scope: str, found: Read) -> None:
        self.pack, self.scope, self.found = pack, scope, found
        self.names = Names(found)
        self.rows = {name: list(rows.values()) for name, rows in found.rows.items()}

    def as_json(self, *, portal: str, data_sha256: str, key_id: str, problems: list[str]) -> dict[str, Any]:
        """Return the document for the typesetter; `problems` are what the pack's own checks found in what was read."""
        entry = self.found.moment.entry
        return {
            "title": f"Audit pack {self.pack.public_id}",
            "scope": self.scope,
            "portal": "Model Governance Portal",
            "as_of": f"As of entry {entry or 0:,}, {moment_words(self.found.moment.at)}",
            "data_sha256": data_sha256,
            "cover": [
                ["About", self.scope],
                ["As of", f"entry {entry or 0:,} of the audit trail, {moment_words(self.found.moment.at)}"],
                ["Asked for by", f"{self.pack.requested_by}, {moment_words(self.pack.requested_at)}"],
                ["Built by", portal],
                ["Signed with key", {"code": key_id}],
                ["Hash of the data", {"code": data_sha256}],
                ["Audit trail", self.found.verified],
            ],
            "state": state(problems, self.found.left_out),
            "disclaimer": f"{_DISCLAIMER} {DISCLAIMER}",
            "chapters": [
                {"title": "Summary", "parts": self._summary()},
                *self._use_cases(),
                *self._groups(),
                {"title": "Decision register", "parts": self._register()},
                {"title": "Exceptions and open findings", "parts": self._exceptions()},
                {"title": "The audit trail of this pack", "parts": self._trail(problems)},
                {"title": "Words used here", "parts": [pairs(*GLOSSARY)]},
            ],
        }

    def _summary(self) -> list[Part]:
        decisions, requests = self.rows["decisions"], self.rows["approval_requests"]
        given = {verdict: sum(row["verdict"] == verdict for row in decisions) for verdict in _VERDICTS}
        still = sum(row["state"] == "open" for row in requests)
        findings = [row for row in self.rows["findings"] if row["state"] in _OPEN_FINDING]
        here = sum(each["path"] is not None for each in self.found.evidence)
        sentences = (
            f"This pack is about {count(len(self.rows['use_cases']), 'use case')} and"
            f" {count(len(self.rows['model_versions']), 'model version')} of"
            f" {count(len(self.rows['model_groups']), 'model group')}."
            f" {count(len(requests), 'approval was', 'approvals were')} asked for; {still} still wait."
            f" {count(len(decisions), 'decision was', 'decisions were')} made: {given['approve']} approving,"
            f" {given['reject']} rejecting, {given['request_changes']} asking for changes."
            f" Of {count(len(self.rows['evidence']), 'piece')} of evidence {here} are in the pack as files."
            f" {count(len(self.rows['overrides']), 'rule was', 'rules were')} set aside by break-glass, and"
            f" {count(len(findings), 'finding stands', 'findings stand')} open."
        )
        figures = [[LABELS[name], f"{len(rows):,}"] for name, rows in self.rows.items() if rows]
        absent = ", ".join(LABELS[name].lower() for name, rows in self.rows.items() if not rows)
        parts = [words(sentences), heading("What it holds"), listing([("Records", 3), ("How many", 1)], figures, "")]
        if absent:
            parts.append(words(f"None of these: {absent}.", "quiet"))
        if self.found.left_out:
            rows = [[each["what"], each["why"]] for each in self.found.left_out]
            parts += [heading("What is not in it, and why"), listing([("What", 1), ("Why", 2)], rows, "")]
        return parts

    def _use_cases(self) -> list[dict[str, Any]]:
        return [
            {"title": self.names.use_case(row["id"]), "parts": self._use_case(row)} for row in self.rows["use_cases"]
        ]

    def _use_case(self, row: dict[str, Any]) -> list[Part]:
        mine = {"use_case_id": row["id"]}
        project = self.found.rows["projects"].get(row["project_id"], {})
        line = self.found.rows["lines_of_business"].get(project.get("line_of_business_id", 0), {})
        parts = [
            pairs(
                ("Intended purpose", row["intended_purpose"]),
                ("Description", row["description"]),
                ("Project", f"{project.get('name', '')}, {line.get('name', '')}".strip(", ")),
                ("Business owner", row["business_owner"]),
                ("Model owner", self.names.person(row["model_owner_id"])),
                ("Registered", f"by {self.names.person(row['registered_by_id'])}, {at(row['registered_at'])}"),
                ("Stands at", f"{plain(row['stage'])}, {plain(row['status']).lower()}"),
                ("Next review", row["next_review_on"] or ""),
            ),
            heading("Risk under the EU AI Act", 2),
            pairs(
                ("Class", plain(row["risk_class"])),
                ("Reason", row["risk_reason"]),
                ("Classified by", by(self.names.person(row["risk_classified_by_id"]), row["risk_classified_at"])),
            ),
        ]
        for each in self._of("classifications", mine):
            reasons = [[reason.get("article", ""), reason.get("text", "")] for reason in each["reasons"]]
            title = f"Assessment by {self.names.person(each['assessor_id'])}, {at(each['assessed_at'])}"
            parts += [
                words(
                    f"{title}: {plain(each['proposed_class']).lower()}, {plain(each['state']).lower()}"
                    f" {by(self.names.person(each['decided_by_id']), each['decided_at'])}.".replace(" .", ".")
                ),
                listing([("Article", 1), ("Because", 4)], reasons, "The class was set by hand, without questionnaire."),
            ]
        documents = [
            part
            for each in self._of("use_case_documents", mine)
            for part in (
                label(plain(each["kind"]), f"{self.names.person(each['author_id'])}, {at(each['written_at'])}"),
                words(each["text"], "quote"),
            )
        ]
        parts += [heading("Documents", 2), *(documents or [words("None of the five is written.", "quiet")])]
        return [*parts, *self._history(mine, 2), *self._asked(mine, 2), *self._evidence(mine, 2)]

    def _groups(self) -> list[dict[str, Any]]:
        chapters = []
        for group in self.rows["model_groups"]:
            versions = [row for row in self.rows["model_versions"] if row["group_id"] == group["id"]]
            parts: list[Part] = [
                pairs(
                    ("Model package group", {"code": group["arn"]}),
                    ("Owner", self.names.person(group["owner_id"])),
                    ("Project", self.names.project(group["project_id"])),
                    ("Account", self.names.account(group["account_id"])),
                    ("Description", group["description"]),
                )
            ]
            for row in versions:
                parts += self._version(row)
            chapters.append({"title": f"Model group {group['name']}", "parts": parts})
        return chapters

    def _version(self, row: dict[str, Any]) -> list[Part]:
        mine = {"version_id": row["id"]}
        served = [self.names.use_case(link["use_case_id"]) for link in self._of("version_use_cases", mine)]
        metrics = [
            [plain(record["stage"]), kind, str(name), figure(value)]
            for record in self._of("stage_records", mine)
            for kind, column in (("validation", "validation_metrics"), ("monitoring", "monitoring_metrics"))
            for name, value in (record[column] or {}).items()
        ]
        running = [
            [
                plain(each["stage"]),
                self.names.account(each["account_id"]),
                plain(each["state"]),
                plain(each["mode"]),
                each["endpoint"] or "",
                short(each["reported_at"]),
            ]
            for each in self._of("deployments", mine)
        ]
        return [
            heading(f"Version {row['number']} of {self.names.group(row['group_id'])}"),
            pairs(
                ("Stands at", f"{plain(row['stage'])}, {plain(row['status']).lower()}"),
                ("Serves", ", ".join(name for name in served if name) or "no use case"),
                ("Risk rating", plain(row["risk_rating"])),
                ("Model package", {"code": row["arn"]}),
                ("Artifact", {"code": row["artifact_url"]} if row["artifact_url"] else ""),
                ("Content digest", {"code": row["content_digest"]}),
                ("Registered by", self.names.person(row["registered_by_id"]) or row["registrant_arn"]),
                ("In SageMaker", f"{row['aws_approval_status']}, created {at(row['aws_created_at'])}"),
            ),
            heading("Metrics", 3),
            listing([("Stage", 1), ("Kind", 1), ("Metric", 2), ("Value", 1)], metrics, "None reported."),
            *self._history(mine, 3),
            *self._asked(mine, 3),
            *self._evidence(mine, 3),
            heading("Deployments", 3),
            listing(
                [("Stage", 1), ("Account", 1.3), ("State", 1), ("Mode", 0.7), ("Endpoint", 2), ("Reported (UTC)", 1.2)],
                running,
                "None ordered.",
            ),
        ]

    def _history(self, mine: dict[str, int], level: int) -> list[Part]:
        rows = [
            [
                short(each["at"]),
                plain(each["verb"]),
                plain(each["stage"]),
                f"{plain(each['from_status']) or 'new'} → {plain(each['status']).lower()}",
                self.names.actor(each["actor"]),
                each["reason"],
            ]
            for each in self._of("stage_events", mine)
        ]
        columns = [("When (UTC)", 1.2), ("Move", 0.9), ("Stage", 1), ("Status", 1.3), ("By", 1.1), ("Why", 1.8)]
        return [heading("Stage history", level), listing(columns, rows, "No move in what this pack covers.")]

    def _asked(self, mine: dict[str, int], level: int) -> list[Part]:
        parts: list[Part] = [heading("Approvals and decisions", level)]
        for asked in self._of("approval_requests", mine):
            needs = Requirements.from_json(asked["requirements"]).approvals
            needed = " and ".join(f"{need.count} {need.role.label.lower()}" for need in needs) or "nobody"
            parts += [
                label(f"AR-{asked['id']:06d}", f"{plain(asked['stage'])}, {plain(asked['state']).lower()}"),
                words(
                    f"Asked by {self.names.person(asked['requester_id'])} on {at(asked['created_at'])} under"
                    f" {self.names.policy(asked['policy_id'])}, {plain(asked['tier']).lower()} risk; needed: {needed}."
                    f" On exactly this content:"
                ),
                code(asked["digest"]),
            ]
            if asked["note"]:
                parts.append(words(asked["note"], "quote"))
            given = [row for row in self.rows["decisions"] if row["request_id"] == asked["id"]]
            parts.append(listing(_DECISION_COLUMNS, [self._decision(row) for row in given], "No decision yet."))
            if checks := self.found.checks.get(asked["id"]):
                lines = [[check["label"], _OUTCOMES[check["outcome"]], check["detail"]] for check in checks]
                parts += [
                    words("What the policy asks for, as it stands at the moment of this pack:", "quiet"),
                    listing([("Check", 1.2), ("Outcome", 0.7), ("Detail", 2.4)], lines, ""),
                ]
        return parts if len(parts) > 1 else [*parts, words("Nothing was asked for in what this pack covers.", "quiet")]

    def _decision(self, row: dict[str, Any]) -> list[Any]:
        lent = self.names.person(row["on_behalf_of_id"])
        who = self.names.person(row["decider_id"]) + (f", for {lent}" if lent else "")
        source = " (made in SageMaker)" if row["source"] == "adopted" else ""
        said = (plain(row["verdict"]) + source, _VERDICTS.get(row["verdict"], "mute"))
        return [short(row["decided_at"]), who, plain(row["role"]), list(said), row["comment"]]

    def _evidence(self, mine: dict[str, int], level: int) -> list[Part]:
        told = {each["id"]: each for each in self.found.evidence}
        parts: list[Part] = [heading("Evidence", level)]
        for row in self._of("evidence", mine):
            name = f"EV-{row['id']:06d}"
            each = told.get(name, {"path": None, "why": "It was not looked at."})
            counts = "withdrawn" if row["withdrawn_at"] else "superseded" if row["superseded_at"] else "counts"
            parts += [
                label(f"{name} {row['title']}", f"{evidence_kind(row['kind'])}, edition {row['edition']}, {counts}"),
                words(
                    f"Attached by {self.names.person(row['author_id']) or row['author_name']} on"
                    f" {at(row['added_at'])}. {each['path'] or each['why']}"
                ),
                code(row["sha256"] or f"{row['s3_uri']} {row['s3_version_id']} {row['s3_etag']}"),
            ]
        return parts if len(parts) > 1 else [*parts, words("None attached.", "quiet")]

    def _register(self) -> list[Part]:
        rows = []
        for row in sorted(self.rows["decisions"], key=lambda each: (each["decided_at"], each["id"])):
            asked = self.found.rows["approval_requests"].get(row["request_id"], {})
            rows.append([self.names.subject(asked), plain(asked.get("stage")), *self._decision(row)])
        columns = [("About", 1.4), ("Stage", 1.2), *_DECISION_COLUMNS]
        return [
            words("Every decision of this pack, oldest first. None of them can be edited."),
            listing(columns, rows, "None."),
        ]

    def _exceptions(self) -> list[Part]:
        overrides = [
            [
                f"BG-{row['id']:06d}",
                self.names.subject(row),
                f"{row['check_label']} at {plain(row['stage'])}",
                row["reason"],
                f"{self.names.person(row['granted_by_id'])}, {at(row['granted_at'])}",
                f"revoked {at(row['revoked_at'])}" if row["revoked_at"] else at(row["expires_at"]),
            ]
            for row in self.rows["overrides"]
        ]
        findings = [
            [
                f"FND-{row['id']:06d}",
                self.names.subject(row),
                [plain(row["severity"]), "bad" if row["severity"] in ("serious", "critical") else "warn"],
                row["summary"],
                plain(row["state"]),
                row["due_on"] or "",
            ]
            for row in self.rows["findings"]
            if row["state"] != "resolved"
        ]
        lent = [
            [
                self.names.person(row["delegate_id"]),
                self.names.person(row["delegator_id"]),
                plain(row["role"]),
                f"{row['starts_on']} to {row['ends_on']}",
                row["reason"],
            ]
            for row in self.rows["delegations"]
        ]
        return [
            heading("Rules set aside by break-glass"),
            listing(
                [("Id", 0.8), ("About", 1.4), ("Rule", 1.6), ("Why", 1.8), ("By", 1.4), ("Until", 1.2)],
                overrides,
                "None.",
            ),
            heading("Findings that stand"),
            listing(
                [("Id", 1), ("About", 1.4), ("Severity", 0.8), ("What", 2.6), ("State", 0.9), ("Due", 0.8)],
                findings,
                "None.",
            ),
            heading("Delegations"),
            listing([("Delegate", 1), ("For", 1), ("As", 1), ("Days", 1.3), ("Why", 1.6)], lent, "None."),
        ]

    def _trail(self, problems: list[str]) -> list[Part]:
        found, sequences = self.found, self.found.sequences
        covered = [each for each in found.anchors if each.number in found.anchors_with_hashes]
        newest = max((each.last for each in found.anchors), default=None)
        later = sum(newest is None or number > newest for number in sequences)
        parts: list[Part] = [
            words(
                "Every change of a governed row, however it is made, is an entry of the audit trail. The database"
                " writes it; each entry carries the hash of the one before it about the same object. Signed anchors,"
                " kept outside the database, cover all entries in their order. The pack holds every entry about its"
                " objects, and each row of its data can be worked out anew from them."
            ),
            pairs(
                ("Entries", f"{len(sequences):,}, in {len(found.heads):,} chains"),
                ("From, to", f"entry {sequences[0]:,} to entry {sequences[-1]:,}" if sequences else "no entry"),
                ("Anchors", f"{len(found.anchors):,}, {len(covered):,} of them with the hashes of all they cover"),
                ("Not anchored yet", f"{later:,} entries newer than the newest anchor; the manifest signs them"),
                ("In the portal", found.verified),
            ),
        ]
        if problems:
            parts.append(notice("bad", "What does not hold", "\n".join(problems)))
        return parts

    def _of(self, part: str, mine: dict[str, int]) -> list[dict[str, Any]]:
        [(column, number)] = mine.items()
        index = self.__dict__.setdefault("_by", {})
        if (part, column) not in index:
            rows: dict[int, list[dict[str, Any]]] = {}
            for row in self.rows[part]:
                rows.setdefault(row[column], []).append(row)
            index[part, column] = rows
        found: list[dict[str, Any]] = index[part, column].get(number, [])
        return found
