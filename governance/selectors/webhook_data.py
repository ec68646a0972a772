"""What a webhook is told of a change: whom it is about, which projects may hear of it, and the fields of its event.

Thin on purpose: ids, words of the domain and links. Comments, reasons, summaries and metrics are read through the API,
by somebody who may see them. A use case is named only to webhooks of its own project, or of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.urls import reverse

from portal.core import webhooks

from ..models import WebhookEvent
from ..policies.webhook_events import TYPES, Change, Row, types_of
from . import webhook_subjects as subjects
from .webhook_rows import Rows

LONGEST_ERROR = 500


@dataclass(frozen=True)
class News:
    """One change as it is told: under which names, about what, with which fields."""

    event: WebhookEvent
    types: list[str]
    about: subjects.About
    fields: dict[str, Any] = field(default_factory=dict)

    def concerns(self, project_id: int | None) -> bool:
        """Whether a webhook of that project, or of all of them (None), may hear of it."""
        return project_id is None or any(project.pk == project_id for project in self.about.projects)

    def body(self, name: str, project_id: int | None) -> str:
        """Return the body that is signed and sent to webhooks of that project, or of all (None)."""
        about, event = self.about, self.event
        subject = dict(about.subject)
        if about.use_cases is not None:
            shown = [each for each in about.use_cases if project_id in (None, each.project_id)]
            subject["use_cases"] = [{"id": each.public_id, "name": each.name} for each in shown]
        projects = [project.key for project in about.projects if project_id in (None, project.pk)]
        data = {
            "sequence": event.pk,
            "subject": subject,
            "projects": projects,
            "actor": event.actor or None,
            "correlation_id": event.correlation or None,
            **{key: self.fields.get(key) for key in TYPES[name].fields},
            "links": {"page": _absolute(about.page), "api": _absolute(about.api)},
        }
        told = {"type": name, "timestamp": event.happened_at.isoformat(), "data": data}
        return webhooks.encoded(told).decode()


def news_of(events: Sequence[WebhookEvent]) -> list[News]:
    """Return what each of the changes means, in their order; one that means nothing has no names."""
    rows = Rows(events)
    return [_news(event, rows) for event in events]


def _news(event: WebhookEvent, rows: Rows) -> News:
    last = rows.last(event)
    names = types_of(Change(event.table, event.before, event.after, last))
    if not names:
        return News(event, [], subjects.About("", "", {}))
    about, fields = _OF_TABLE[event.table](event, rows, last)
    return News(event, names, about, fields)


Described = tuple[subjects.About, dict[str, Any]]


def _absolute(path: str) -> str | None:
    return f"{settings.PORTAL_PUBLIC_URL.rstrip('/')}{path}" if path else None


def _of_ledger(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row, before = event.after, last or {}
    return subjects.subject(row, rows), {
        "verb": row["verb"],
        "stage_before": before.get("position_stage"),
        "status_before": before.get("position_status"),
        "stage": row["position_stage"],
        "status": row["position_status"],
        "record": {"id": row["record_id_copy"], "stage": row["stage"], "status": row["status"]},
        "request": subjects.request_id(row["request_id_copy"]),
    }


def _of_use_case(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    about = subjects.use_case(event.row_id, rows.use_cases.get(event.row_id))
    return about, {"risk_before": (event.before or {}).get("risk_class"), "risk": event.after["risk_class"]}


def _of_version(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    return subjects.version(event.row_id, rows.versions.get(event.row_id)), {"digest": event.after["content_digest"]}


def _of_request(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row, number = event.after, f"AR-{event.row_id:06d}"
    page, api = reverse("governance:request", args=[event.row_id]), reverse("approval-detail", kwargs={"id": number})
    return subjects.led(subjects.subject(row, rows), page, api), {
        "request": number,
        "state_before": (event.before or {}).get("state"),
        "state": row["state"],
        "stage": row["stage"],
        "to_stage": row["to_stage"] or None,
        "requester": subjects.username(row["requester_id"], rows),
    }


def _of_decision(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    request = rows.requests.get(row["request_id"])
    subject = {"version_id": request.version_id, "use_case_id": request.use_case_id} if request else {}
    number = f"AR-{row['request_id']:06d}"
    page = reverse("governance:request", args=[row["request_id"]])
    return subjects.led(subjects.subject(subject, rows), page, reverse("approval-detail", kwargs={"id": number})), {
        "request": number,
        "verdict": row["verdict"],
        "role": row["role"],
        "decided_by": row["decider_name"],
        "back_to": row["back_to"] or None,
    }


def _of_standing(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    return subjects.subject(row, rows), {"record": event.row_id, "stage": row["stage"], "since": row["outdated_at"]}


def _of_override(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    fields = {"stage": row["stage"], "check": row["check_key"], "expires_at": row["expires_at"]}
    return subjects.subject(row, rows), fields


def _of_finding(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row, number = event.after, f"FND-{event.row_id:06d}"
    page, api = reverse("governance:finding", args=[event.row_id]), reverse("finding-detail", kwargs={"id": number})
    return subjects.led(subjects.subject(row, rows), page, api), {
        "finding": number,
        "finding_kind": row["kind"],
        "severity": row["severity"],
        "state_before": (event.before or {}).get("state"),
        "state": row["state"],
        "stage": row["stage"] or None,
        "owner": subjects.username(row["owner_id"], rows),
        "due_on": row["due_on"],
    }


def _of_deployment(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row, before = event.after, event.before or {}
    about = subjects.version(row["version_id"], rows.versions.get(row["version_id"]))
    return subjects.led(about, about.page, reverse("deployment-detail", kwargs={"id": event.row_id})), {
        "deployment": event.row_id,
        "state_before": before.get("state"),
        "state": row["state"],
        "mode": row["mode"],
        "stage": row["stage"],
        "account": subjects.account_id(row["account_id"], rows),
        "region": row["region"],
    }


def _of_order(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    fields: dict[str, Any] = {"order": event.row_id, "action": row["action"], "deployment": row["deployment_id"]}
    deployment = rows.deployments.get(row["deployment_id"])
    if deployment is None:
        return subjects.subject({}, rows), fields
    about = subjects.version(deployment.version_id, rows.versions.get(deployment.version_id))
    fields |= {
        "state": deployment.state,
        "mode": deployment.mode,
        "stage": deployment.stage,
        "account": subjects.account_id(deployment.account_id, rows),
        "region": deployment.region,
    }
    return subjects.led(about, about.page, reverse("deployment-detail", kwargs={"id": deployment.pk})), fields


def _of_share(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    share = rows.shares.get(event.row_id)
    projects = subjects.projects_of(*(group.project for group in share.groups.all())) if share else ()
    about = replace(subjects.declared_share(event.row_id, row["number"]), projects=projects)
    return about, {
        "share": about.name,
        "state_before": (event.before or {}).get("state"),
        "state": row["state"],
        "revision": row["revision"],
        "account": subjects.account_id(row["account_id"], rows),
        "region": row["region"],
    }


def _of_ram_share(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row, share = event.after, rows.ram_shares.get(event.row_id)
    fields = {"ram_share": row["arn"], "state": row["state"], "account": subjects.account_id(row["account_id"], rows)}
    return subjects.ram_share(row["arn"], share), fields


def _of_principal(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    share = rows.ram_shares.get(event.after["share_id"])
    if share is None:
        return subjects.subject({}, rows), {}
    return subjects.ram_share(share.arn, share), {
        "ram_share": share.arn,
        "state": share.state,
        "account": subjects.account_id(share.account_id, rows),
    }


def _of_member(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    """Told to the group's project, also when the share has nothing of it any more; to no other one of the share's."""
    pk = event.after["modelgroup_id"]
    group = rows.groups.get(pk)
    fields: dict[str, Any] = {"group": subjects.group(pk, group).subject}
    if event.table == "registry_declaredshare_groups":
        declared = rows.shares.get(event.row_id)
        number = declared.public_id if declared else None
        about = subjects.declared_share(event.row_id, declared.number if declared else None)
        fields |= {"share": number, "ram_share": (declared.share_arn or None) if declared else None}
        share: Any = declared
    else:
        share = rows.ram_shares.get(event.row_id)
        about = subjects.ram_share(share.arn if share else f"ram_share:{event.row_id}", None)
        fields["ram_share"] = share.arn if share else None
    if share is not None:
        fields |= {"account": subjects.account_id(share.account_id, rows), "region": share.region}
    return replace(about, projects=subjects.projects_of(group.project) if group else ()), fields


def _of_invitation(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    fields = {
        "ram_share": row["share_arn"],
        "state": row["status"],
        "account": subjects.account_id(row["receiver_id"], rows),
    }
    return subjects.ram_share(row["share_arn"], rows.shares_by_arn.get(row["share_arn"])), fields


def _of_pass(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    row = event.after
    about = subjects.account(row["account_id"], rows, row["region"])
    return subjects.led(about, reverse("registry:sync_run_list"), reverse("sync-run-list")), {
        "sync_run": event.row_id,
        "sync_kind": row["kind"],
        "state": row["state"],
        "region": row["region"],
        **{name: row[name] for name in ("created", "updated", "missing")},
        "error": row["error"][:LONGEST_ERROR] or None,
    }


def _of_policy(event: WebhookEvent, rows: Rows, last: Row | None) -> Described:
    policy = rows.policies.get(event.row_id)
    number = policy.number if policy else None
    about = subjects.About("policy", f"Policy {number}", {"kind": "policy", "id": number})
    if number is None:
        return about, {}
    page, api = reverse("governance:policy", args=[number]), reverse("policy-detail", kwargs={"id": number})
    return subjects.led(about, page, api), {"policy": number}


_OF_TABLE: dict[str, Callable[[WebhookEvent, Rows, Row | None], Described]] = {
    "governance_stageevent": _of_ledger,
    "registry_usecase": _of_use_case,
    "registry_modelversion": _of_version,
    "governance_approvalrequest": _of_request,
    "governance_decision": _of_decision,
    "governance_stagerecord": _of_standing,
    "governance_usecasestagerecord": _of_standing,
    "governance_override": _of_override,
    "governance_finding": _of_finding,
    "governance_deploymentorder": _of_order,
    "registry_deployment": _of_deployment,
    "registry_declaredshare": _of_share,
    "registry_resourceshare": _of_ram_share,
    "registry_shareprincipal": _of_principal,
    "registry_declaredshare_groups": _of_member,
    "registry_resourceshare_groups": _of_member,
    "registry_shareinvitation": _of_invitation,
    "registry_syncrun": _of_pass,
    "governance_policyversion": _of_policy,
}
