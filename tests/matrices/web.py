"""URL x role x status of the pages, by hand: what the permission table and the services must add up to.

The columns are those of the API's matrix. `on` names what of the world the address stands for; 302 means done and
on to a page, or for nobody in particular: on to the sign-in. `body` is what a browser would send.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.api.world import ROLES, World

from . import web_bodies as bodies
from .web_bodies import said

COLUMNS = ROLES


@dataclass(frozen=True)
class Row:
    """One page and method with what each role is answered."""

    method: str
    name: str
    statuses: tuple[int, ...]
    on: str = ""
    body: Callable[[World], dict[str, Any]] | None = None

    @property
    def label(self) -> str:
        return f"{self.method} {self.name} {self.on}".strip()


def argument(world: World, on: str) -> list[Any]:
    """Return what stands in an address for a thing of the world."""
    if not on:
        return []
    thing = {
        "draft": world.draft.number,
        "unsent": world.unsent.pk,
        "unsent_step": (world.unsent.pk, "people"),
        "draft_tab": (world.draft.number, "people"),
        "asked": world.asked.number,
        "group": world.group.pk,
        "fresh": world.fresh.pk,
        "trial": world.trial.pk,
        "use_case_request": world.use_case_request.pk,
        "version_request": world.version_request.pk,
        "trial_record": world.trial_record.pk,
        "deployment": world.deployment.pk,
        "finding": world.finding.pk,
        "notification": world.notification.pk,
        "token": world.token_key,
        "service": world.service.pk,
        "service_token": (world.service.pk, world.others["token"]),
        "accepted_finding": world.accepted_finding.pk,
        "message": world.message.pk,
        "parked_event": world.parked_event.pk,
        "evidence": world.evidence.pk,
        "registration": world.registration.number,
        "creation": world.creation.number,
        "delegation": world.delegation.pk,
        "override": world.override.pk,
        "share": world.share.number,
        "account": "333333333333",
        "channel": world.channel.pk,
        "webhook": world.webhook.pk,
        "webhook_delivery": (world.webhook.pk, world.webhook_delivery.pk),
        "saved_view": world.saved_view.pk,
        "tracking_server": world.tracking_server.pk,
        "channel_kind": "webhook",
        "signing_key": world.signing_key,
        "anchor": world.anchor.number,
        "pack": world.pack.pk,
        "policy": 2,
        "policy_draft": world.policy_draft,
        "policy_cell": (world.policy_draft, "model_version", "qa", "low"),
    }
    found = thing[on]
    return list(found) if isinstance(found, tuple) else [found]


EVERYBODY = (302, 200, 200, 200, 200, 200, 200, 200)
OF_THE_PROJECT = (302, 200, 200, 200, 200, 200, 200, 404)
HIS_OWN = (302, 200, 404, 404, 404, 404, 404, 404)
OPERATORS = (302, 403, 403, 200, 200, 200, 200, 200)
DRAFTED = (302, 404, 404, 404, 403, 200, 403, 403)
READERS_OF_THE_TRAIL = (302, 403, 403, 403, 200, 200, 200, 200)
WRITERS = (302, 200, 200, 403, 200, 403, 403, 404)
OFFICERS = (302, 403, 403, 403, 200, 403, 403, 404)
ENGINEERS = (302, 403, 403, 200, 403, 403, 403, 404)
ENGINEERS_AND_ADMINS = (302, 403, 403, 200, 403, 200, 403, 404)
SPOKE = "222222222222"
TESTERS = (302, 200, 403, 200, 403, 403, 403, 404)
ASKERS = (302, 200, 200, 200, 403, 403, 403, 404)
ATTACHERS = (302, 200, 200, 200, 200, 403, 403, 404)
OFFICERS_OWN = (302, 404, 404, 404, 302, 404, 404, 404)
REGISTRARS = (302, 200, 200, 200, 403, 403, 403, 404)
CLAIMERS = (302, 403, 200, 200, 403, 200, 403, 404)
SERVICE_SEEN = (302, 404, 404, 200, 404, 200, 404, 404)
SERVICE_CHANGED = (302, 404, 404, 403, 404, 200, 404, 404)
AUTHOR = (302, 200, 404, 403, 403, 403, 403, 404)


def done(statuses: tuple[int, ...]) -> tuple[int, ...]:
    """Return the same answers for the POST behind a form: whoever sees it may send it."""
    return tuple(302 if status == 200 else status for status in statuses)


APPROVE = said(verdict="approve", comment="")
REASON = said(reason="No longer needed.")

# The form comes back to those who may fill it in, with what is wrong beside the fields.
OVERRIDES = tuple(422 if status == 200 else status for status in OFFICERS)

ROWS: tuple[Row, ...] = (
    Row("GET", "home", EVERYBODY),
    # what one is told, and who one is: everybody's own
    Row("GET", "governance:notification_list", EVERYBODY),
    Row("GET", "governance:bell", EVERYBODY),
    Row("GET", "governance:notification_latest", EVERYBODY),
    Row("POST", "governance:notification_read_all", done(EVERYBODY)),
    Row("POST", "governance:notification_read", OFFICERS_OWN, on="notification"),
    Row("POST", "governance:notification_unread", OFFICERS_OWN, on="notification"),
    Row("GET", "governance:notify", EVERYBODY),
    Row("POST", "governance:notify", done(EVERYBODY), body=said(digest_hour="7", time_zone="Asia/Tokyo", revision="1")),
    Row("GET", "governance:notify_chat", EVERYBODY),
    Row("POST", "governance:notify_chat", done(EVERYBODY), body=said(kind="slack", url="https://hooks.slack.com/x")),
    Row("POST", "governance:notify_chat_remove", (302, *(409,) * 7)),
    Row("POST", "governance:notify_chat_test", (302, *(409,) * 7)),
    Row("GET", "governance:profile", EVERYBODY),
    Row("GET", "governance:token_list", EVERYBODY),
    Row("GET", "governance:token_new", EVERYBODY),
    Row("POST", "governance:token_new", EVERYBODY, body=said(name="Nightly", days="7", is_read_only="on")),
    Row("POST", "governance:token_revoke", (302, 302, 404, 404, 404, 404, 404, 404), on="token"),
    # the ML engineer answers for the service account; only the ML admin holds his role everywhere
    Row("GET", "governance:service_account_list", EVERYBODY),
    Row("GET", "governance:service_account_new", (302, 403, 403, 403, 403, 200, 403, 403)),
    Row(
        "POST",
        "governance:service_account_new",
        (302, 403, 403, 403, 403, 302, 403, 403),
        body=lambda world: {
            "name": "ci.other",
            "purpose": "Reports metrics.",
            "responsible": str(world.people.engineer.pk),
            "as_ml_engineer": ["everywhere", str(world.project.pk)],
        },
    ),
    Row("GET", "governance:service_account", SERVICE_SEEN, on="service"),
    Row("GET", "governance:service_account_edit", SERVICE_CHANGED, on="service"),
    Row(
        "POST",
        "governance:service_account_edit",
        done(SERVICE_CHANGED),
        on="service",
        body=lambda world: {
            "purpose": "Registers versions every night.",
            "responsible": str(world.people.engineer.pk),
            "is_active": "on",
            "revision": str(world.service.revision),
            "as_data_scientist": ["everywhere"],
        },
    ),
    Row("POST", "governance:service_account_retire", done(SERVICE_CHANGED), on="service", body=REASON),
    Row("GET", "governance:service_account_token_new", SERVICE_CHANGED, on="service"),
    Row(
        "POST",
        "governance:service_account_token_new",
        SERVICE_CHANGED,
        on="service",
        body=said(name="Second", days="7"),
    ),
    Row("POST", "governance:service_account_token_revoke", done(SERVICE_CHANGED), on="service_token"),
    Row("GET", "dashboard", EVERYBODY),
    Row("GET", "search", EVERYBODY),
    Row("GET", "search_palette", EVERYBODY),
    Row("GET", "sign_in", (200,) * 8),
    Row("POST", "sign_in", (200,) * 8, body=said(username="nobody", password="wrong")),
    Row("POST", "sign_out", (302,) * 8),
    # approvals
    Row("GET", "governance:queue", EVERYBODY),
    # With nothing marked; who may not act on any of the rows is told that first.
    Row("POST", "governance:queue", (302, 403, 400, 403, 400, 403, 403, 400)),
    Row("GET", "governance:request", OF_THE_PROJECT, on="use_case_request"),
    Row("GET", "governance:request", OF_THE_PROJECT, on="version_request"),
    Row("POST", "governance:request", (302, 403, 302, 403, 403, 403, 403, 404), on="use_case_request", body=APPROVE),
    Row("POST", "governance:request", (302, 403, 403, 403, 302, 403, 403, 404), on="version_request", body=APPROVE),
    Row("POST", "governance:request_withdraw", (302, 302, 403, 403, 403, 403, 403, 404), on="version_request"),
    # saved views of lists: everybody keeps his own
    Row("GET", "registry:saved_view_list", EVERYBODY),
    Row("GET", "registry:saved_view", HIS_OWN, on="saved_view"),
    Row("POST", "registry:saved_view", done(HIS_OWN), on="saved_view", body=bodies.rename),
    Row("POST", "registry:saved_view_update", done(HIS_OWN), on="saved_view", body=bodies.now_shows),
    Row("POST", "registry:saved_view_delete", done(HIS_OWN), on="saved_view"),
    Row(
        "POST",
        "registry:saved_view_new",
        (302,) * 8,
        body=said(list="registry:use_case_list", name="Mine", query="stage=qa&sort=name"),
    ),
    Row("POST", "registry:saved_view_default", (302,) * 8, body=said(list="registry:use_case_list")),
    # use cases
    Row("GET", "registry:use_case_list", EVERYBODY),
    Row("GET", "registry:use_case_file", EVERYBODY),
    Row("GET", "registry:use_case", OF_THE_PROJECT, on="draft"),
    Row("GET", "registry:use_case_edit", WRITERS, on="draft"),
    Row("POST", "registry:use_case_edit", done(WRITERS), on="draft", body=bodies.edit),
    Row("GET", "registry:use_case_documents", WRITERS, on="draft"),
    Row("POST", "registry:use_case_documents", done(WRITERS), on="draft", body=said(human_oversight="A clerk.")),
    Row("GET", "registry:use_case_classify", OFFICERS, on="draft"),
    Row(
        "POST",
        "registry:use_case_classify",
        done(OFFICERS),
        on="draft",
        body=said(risk_class="high", reason="Decides on credit."),
    ),
    Row("GET", "registry:use_case_ai_act", OF_THE_PROJECT, on="draft"),
    Row("POST", "registry:use_case_ai_act", done(OFFICERS), on="draft", body=bodies.confirm),
    Row("GET", "registry:use_case_questionnaire", WRITERS, on="draft"),
    Row(
        "POST",
        "registry:use_case_questionnaire",
        done(WRITERS),
        on="draft",
        body=said(**{"q-ai_system": "no", "reason": "Rules only."}),
    ),
    Row("GET", "registry:ai_act", EVERYBODY),
    Row("GET", "governance:use_case_register", (302, 200, 200, 403, 403, 403, 403, 200)),
    Row("POST", "governance:use_case_register", (302, 302, 302, 403, 403, 403, 403, 422), body=bodies.register),
    Row("GET", "governance:use_case_draft", AUTHOR, on="unsent_step"),
    Row("POST", "governance:use_case_draft", done(AUTHOR), on="unsent_step", body=bodies.save_draft),
    Row("GET", "governance:use_case_draft_review", AUTHOR, on="unsent"),
    Row("POST", "governance:use_case_draft_review", done(AUTHOR), on="unsent", body=bodies.register_draft),
    # Whoever lost his roles may still throw his own away.
    Row("POST", "governance:use_case_draft_delete", (302, 302, 404, 404, 404, 404, 404, 404), on="unsent"),
    Row("GET", "registry:use_case_tab", OF_THE_PROJECT, on="draft_tab"),
    Row("GET", "governance:use_case_head", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:use_case_monitoring", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:use_case_deciders", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:review_list", EVERYBODY),
    Row("GET", "governance:use_case_review", OFFICERS, on="draft"),
    Row("POST", "governance:use_case_review", done(OFFICERS), on="draft", body=bodies.review),
    Row("GET", "governance:use_case_review_plan", WRITERS, on="draft"),
    Row("POST", "governance:use_case_review_plan", done(WRITERS), on="draft", body=bodies.plan_review),
    Row("GET", "governance:use_case_panel", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:use_case_activity", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:use_case_submit", ASKERS, on="draft"),
    Row("POST", "governance:use_case_submit", done(ASKERS), on="draft", body=said(note="Look.")),
    Row("GET", "governance:use_case_retire", OFFICERS, on="draft"),
    Row("POST", "governance:use_case_retire", done(OFFICERS), on="draft", body=REASON),
    # model groups and versions
    Row("GET", "registry:group_list", EVERYBODY),
    Row("POST", "registry:group_list", (302, 403, 400, 400, 403, 400, 403, 400)),
    Row("GET", "registry:group_file", EVERYBODY),
    Row("GET", "registry:group", OF_THE_PROJECT, on="group"),
    Row("GET", "registry:group_edit", CLAIMERS, on="group"),
    Row("POST", "registry:group_edit", done(CLAIMERS), on="group", body=bodies.claim),
    Row("GET", "governance:group_panel", OF_THE_PROJECT, on="group"),
    Row("GET", "governance:group_metrics", OF_THE_PROJECT, on="group"),
    Row("GET", "governance:group_new", (302, 403, 403, 200, 403, 200, 403, 200)),
    Row("POST", "governance:group_new", (302, 403, 403, 302, 403, 302, 403, 422), body=bodies.new_group),
    Row("GET", "governance:group_creation", OF_THE_PROJECT, on="creation"),
    Row("GET", "governance:version_register", REGISTRARS, on="group"),
    Row("POST", "governance:version_register", done(REGISTRARS), on="group", body=bodies.register_version),
    Row("GET", "governance:registration", OF_THE_PROJECT, on="registration"),
    Row("GET", "registry:version_list", EVERYBODY),
    Row("GET", "registry:version", OF_THE_PROJECT, on="trial"),
    *(
        Row("GET", f"registry:version_{tab}", OF_THE_PROJECT, on="trial")
        for tab in ("metrics", "run", "card", "bias", "lineage", "approvals", "deployments", "monitoring", "history")
    ),
    Row("GET", "governance:run_name", REGISTRARS, on="fresh"),
    Row("POST", "governance:run_name", done(REGISTRARS), on="trial", body=said(run="runs:/4f1c2d3e", server="mlflow")),
    Row("GET", "governance:run_search", REGISTRARS, on="trial"),
    Row("POST", "governance:run_refresh", done(REGISTRARS), on="fresh"),
    Row("POST", "governance:run_detach", done(REGISTRARS), on="fresh"),
    # tracking servers: everybody's to see, an ML admin's to set; the world's is one that runs were read from
    Row("GET", "registry:tracking_server_list", EVERYBODY),
    Row("GET", "registry:tracking_server", EVERYBODY, on="tracking_server"),
    Row("GET", "registry:tracking_server_new", (302, 403, 403, 403, 403, 200, 403, 403)),
    Row(
        "POST",
        "registry:tracking_server_new",
        (302, 403, 403, 403, 403, 302, 403, 403),
        body=said(name="other", url="https://mlflow.example.com", login="none", is_enabled="on"),
    ),
    Row("GET", "registry:tracking_server_edit", (302, 403, 403, 403, 403, 200, 403, 403), on="tracking_server"),
    Row(
        "POST",
        "registry:tracking_server_edit",
        (302, 403, 403, 403, 403, 302, 403, 403),
        on="tracking_server",
        body=said(name="other", url="https://mlflow.example.com", login="none", is_enabled="on", revision="1"),
    ),
    Row("POST", "registry:tracking_server_test", (302, 403, 403, 403, 403, 302, 403, 403), on="tracking_server"),
    Row("POST", "registry:tracking_server_remove", (302, 403, 403, 403, 403, 409, 403, 403), on="tracking_server"),
    Row("GET", "governance:version_compare", EVERYBODY),
    Row("GET", "governance:version_panel", OF_THE_PROJECT, on="trial"),
    Row("GET", "governance:version_activity", OF_THE_PROJECT, on="trial"),
    Row("GET", "governance:version_submit", ASKERS, on="fresh"),
    Row("POST", "governance:version_submit", done(ASKERS), on="fresh", body=said(note="Look.")),
    Row("GET", "governance:version_retire", OFFICERS, on="fresh"),
    Row("POST", "governance:version_retire", done(OFFICERS), on="fresh", body=REASON),
    Row("GET", "governance:deployment_report", ENGINEERS, on="deployment"),
    Row("POST", "governance:deployment_report", done(ENGINEERS), on="deployment", body=said(state="deployed")),
    Row("GET", "governance:metrics_report", TESTERS, on="trial_record"),
    Row("POST", "governance:metrics_report", done(TESTERS), on="trial_record", body=said(metrics="auc: 0.8")),
    Row("GET", "governance:record_attributes", WRITERS, on="trial_record"),
    Row("POST", "governance:record_attributes", done(WRITERS), on="trial_record", body=bodies.note),
    # the table
    Row("GET", "governance:stage_table", EVERYBODY),
    Row("GET", "governance:stage_table_file", EVERYBODY),
    Row("GET", "governance:in_production", EVERYBODY),
    Row("GET", "governance:endpoint_list", EVERYBODY),
    Row("GET", "governance:version_metrics_chart", OF_THE_PROJECT, on="trial"),
    Row("GET", "governance:version_lineage", OF_THE_PROJECT, on="trial"),
    Row("GET", "governance:group_metrics_chart", OF_THE_PROJECT, on="group"),
    Row("GET", "governance:posture", EVERYBODY),
    Row("GET", "governance:in_production_file", EVERYBODY),
    Row("GET", "governance:use_case_as_of", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:version_as_of", OF_THE_PROJECT, on="trial"),
    # exceptions
    Row("GET", "governance:override_list", EVERYBODY),
    Row("POST", "governance:override_revoke", done(OFFICERS), on="override"),
    Row("GET", "governance:use_case_break_glass", OFFICERS, on="draft"),
    Row("POST", "governance:use_case_break_glass", OVERRIDES, on="draft", body=bodies.override),
    Row("GET", "governance:version_break_glass", OFFICERS, on="trial"),
    Row("POST", "governance:version_break_glass", OVERRIDES, on="trial", body=bodies.override),
    Row("GET", "governance:version_rollback", OFFICERS, on="trial"),
    Row("POST", "governance:version_rollback", OVERRIDES, on="trial", body=bodies.roll_back),
    Row("GET", "governance:delegation_list", EVERYBODY),
    Row("GET", "governance:delegation_new", (302, 403, 200, 403, 200, 200, 403, 200)),
    Row("POST", "governance:delegation_new", (302, 403, 302, 403, 422, 302, 403, 422), body=bodies.delegate),
    Row("POST", "governance:delegation_revoke", (302, 404, 302, 404, 403, 302, 403, 404), on="delegation"),
    # evidence
    Row("GET", "governance:evidence_list", EVERYBODY),
    Row("GET", "governance:evidence", OF_THE_PROJECT, on="evidence"),
    Row("GET", "governance:evidence_content", OF_THE_PROJECT, on="evidence"),
    Row("POST", "governance:evidence_check", done(OF_THE_PROJECT), on="evidence"),
    Row("GET", "governance:evidence_withdraw", ATTACHERS, on="evidence"),
    Row("POST", "governance:evidence_withdraw", done(ATTACHERS), on="evidence", body=REASON),
    Row("GET", "governance:request_evidence", OF_THE_PROJECT, on="version_request"),
    Row("GET", "governance:use_case_evidence", OF_THE_PROJECT, on="draft"),
    Row("GET", "governance:version_evidence", OF_THE_PROJECT, on="trial"),
    Row("GET", "governance:use_case_attach", ATTACHERS, on="draft"),
    Row("POST", "governance:use_case_attach", done(ATTACHERS), on="draft", body=bodies.attach),
    Row("GET", "governance:version_attach", ATTACHERS, on="trial"),
    Row("POST", "governance:version_attach", done(ATTACHERS), on="trial", body=bodies.attach),
    # how deployment orders leave: seen by those who operate and oversee, set by ML admins
    Row("GET", "governance:channel_list", OPERATORS),
    Row("GET", "governance:callback_list", EVERYBODY),
    Row("GET", "governance:channel_new", (302, 403, 403, 403, 403, 200, 403, 403), on="channel_kind"),
    # the new secret is in the answer
    Row(
        "POST",
        "governance:channel_new",
        (302, 403, 403, 403, 403, 200, 403, 403),
        on="channel_kind",
        body=bodies.channel,
    ),
    Row("GET", "governance:channel_edit", (302, 404, 404, 403, 403, 200, 403, 403), on="channel"),
    Row(
        "POST",
        "governance:channel_edit",
        (302, 404, 404, 403, 403, 302, 403, 403),
        on="channel",
        body=bodies.asked_by_any,
    ),
    Row("POST", "governance:channel_remove", (302, 404, 404, 403, 403, 302, 403, 403), on="channel"),
    Row("POST", "governance:channel_try", (302, 404, 404, 403, 403, 302, 403, 403), on="channel"),
    Row(
        "POST",
        "governance:channel_rotate",
        (302, 404, 404, 403, 403, 409, 403, 403),
        on="channel",
        body=said(grace_hours=1),
    ),
    # webhooks: set up by ML admins, looked at by auditors
    Row("GET", "governance:webhook_list", (302, 403, 403, 403, 403, 200, 200, 403)),
    Row("GET", "governance:webhook_new", (302, 403, 403, 403, 403, 200, 403, 403)),
    # the secret is in the answer
    Row("POST", "governance:webhook_new", (302, 403, 403, 403, 403, 200, 403, 403), body=bodies.webhook),
    Row("GET", "governance:webhook", (302, 404, 404, 404, 404, 200, 200, 404), on="webhook"),
    Row("GET", "governance:webhook_edit", (302, 404, 404, 404, 404, 200, 403, 404), on="webhook"),
    Row(
        "POST",
        "governance:webhook_edit",
        (302, 404, 404, 404, 404, 302, 403, 404),
        on="webhook",
        body=bodies.webhook_again,
    ),
    Row("POST", "governance:webhook_test", (302, 404, 404, 404, 404, 302, 403, 404), on="webhook"),
    Row("POST", "governance:webhook_enable", (302, 404, 404, 404, 404, 409, 403, 404), on="webhook"),
    Row("POST", "governance:webhook_disable", (302, 404, 404, 404, 404, 302, 403, 404), on="webhook"),
    Row(
        "POST",
        "governance:webhook_rotate",
        (302, 404, 404, 404, 404, 200, 403, 404),
        on="webhook",
        body=said(grace_hours=1),
    ),
    Row("POST", "governance:webhook_remove", (302, 404, 404, 404, 404, 302, 403, 404), on="webhook"),
    Row("GET", "governance:webhook_delivery", (302, 404, 404, 404, 404, 200, 200, 404), on="webhook_delivery"),
    Row("POST", "governance:webhook_redeliver", (302, 404, 404, 404, 404, 302, 403, 404), on="webhook_delivery"),
    # operations
    Row("GET", "registry:account_list", OPERATORS),
    Row("GET", "registry:account", (302, 404, 404, 200, 200, 200, 200, 200), on="account"),
    Row("GET", "registry:account_register", (302, 403, 403, 403, 403, 200, 403, 403)),
    Row("POST", "registry:account_register", (302, 403, 403, 403, 403, 302, 403, 403), body=said(**bodies.ACCOUNT)),
    Row("GET", "registry:account_edit", (302, 404, 404, 403, 403, 200, 403, 403), on="account"),
    Row(
        "POST",
        "registry:account_edit",
        (302, 404, 404, 403, 403, 302, 403, 403),
        on="account",
        body=said(**bodies.ACCOUNT),
    ),
    Row("POST", "registry:account_check", (302, 404, 404, 403, 403, 302, 403, 403), on="account"),
    Row("POST", "registry:account_test", (302, 404, 404, 403, 403, 302, 403, 403), on="account"),
    Row("POST", "governance:account_sync", (302, 404, 404, 302, 403, 302, 403, 302), on="account"),
    Row("GET", "registry:sync_run_list", OPERATORS),
    Row("GET", "registry:sync_strip", OPERATORS),
    Row("GET", "governance:share_list", EVERYBODY),
    Row("GET", "governance:share", OF_THE_PROJECT, on="share"),
    Row("GET", "governance:share_new", (302, 403, 403, 200, 403, 200, 403, 200)),
    Row("POST", "governance:share_new", (302, 403, 403, 422, 403, 422, 403, 422), body=said(name="x")),
    Row("GET", "governance:share_edit", (302, 403, 403, 200, 403, 200, 403, 404), on="share"),
    Row("POST", "governance:share_edit", (302, 403, 403, 302, 403, 302, 403, 404), on="share", body=bodies.reshare),
    Row("POST", "governance:share_withdraw", done(ENGINEERS_AND_ADMINS), on="share", body=REASON),
    Row("POST", "governance:share_apply", done(ENGINEERS_AND_ADMINS), on="share"),
    Row("POST", "governance:share_accept", (302, 403, 403, 409, 403, 409, 403, 404), on="share"),
    Row("POST", "governance:share_reinvite", done(ENGINEERS_AND_ADMINS), on="share", body=said(account=SPOKE)),
    Row("POST", "governance:share_read", done(ENGINEERS_AND_ADMINS), on="share"),
    Row("POST", "governance:event_redrive", (302, 404, 404, 403, 403, 409, 403, 403), on="account"),
    Row("GET", "governance:parked_event_list", OPERATORS),
    Row("POST", "governance:parked_event_list", (302, 403, 403, 403, 403, 400, 403, 403)),
    Row("GET", "governance:parked_event", (302, 404, 404, 200, 200, 200, 200, 200), on="parked_event"),
    Row("POST", "governance:parked_event", (302, 404, 404, 403, 403, 302, 403, 403), on="parked_event", body=REASON),
    Row("POST", "governance:parked_event_replay", (302, 404, 404, 403, 403, 302, 403, 403), on="parked_event"),
    Row("GET", "governance:outbox", EVERYBODY),
    Row("POST", "governance:outbox", (302, 403, 403, 400, 403, 400, 403, 400)),
    Row("GET", "governance:account_outbox", (302, 404, 404, 200, 200, 200, 200, 200), on="account"),
    Row("POST", "governance:outbox_retry_failed", (302, 403, 403, 302, 403, 302, 403, 302), on="account"),
    Row("GET", "governance:outbox_message", (302, 200, 200, 200, 200, 200, 200, 404), on="message"),
    Row("POST", "governance:outbox_retry", (302, 403, 403, 302, 403, 302, 403, 404), on="message"),
    Row("GET", "governance:finding_list", EVERYBODY),
    Row("POST", "governance:finding_list", (302, 403, 403, 403, 400, 403, 403, 400)),
    Row("GET", "governance:finding", OF_THE_PROJECT, on="finding"),
    Row("POST", "governance:finding", done(OFFICERS), on="finding", body=said(note="The card was mended.")),
    Row("POST", "governance:finding_acknowledge", done(OFFICERS), on="finding"),
    Row("GET", "governance:finding_file", EVERYBODY),
    Row("GET", "governance:finding_accept", OFFICERS, on="finding"),
    Row("POST", "governance:finding_accept", done(OFFICERS), on="finding", body=bodies.until),
    Row("GET", "governance:finding_assign", OFFICERS, on="finding"),
    Row("POST", "governance:finding_assign", done(OFFICERS), on="finding", body=bodies.to_owner),
    Row("GET", "governance:finding_due", OFFICERS, on="finding"),
    Row("POST", "governance:finding_due", done(OFFICERS), on="finding", body=said(due_on="", reason="")),
    Row("GET", "governance:finding_reopen", OFFICERS, on="accepted_finding"),
    Row("POST", "governance:finding_reopen", done(OFFICERS), on="accepted_finding", body=REASON),
    # the gate and the keys it signs with
    Row("GET", "governance:gate", EVERYBODY),
    # policies: read by everybody, their drafts by officers, ML admins and auditors of any project
    Row("GET", "governance:policy_list", EVERYBODY),
    Row("GET", "governance:policy", EVERYBODY, on="policy"),
    Row("GET", "governance:policy", (302, 404, 404, 404, 200, 200, 200, 200), on="policy_draft"),
    Row("GET", "governance:policy_preview", EVERYBODY, on="policy"),
    Row("GET", "governance:policy_preview", (302, 404, 404, 404, 200, 200, 200, 200), on="policy_draft"),
    Row("GET", "governance:policy_draft", (302, 403, 403, 403, 403, 200, 403, 403)),
    Row("POST", "governance:policy_draft", (302, 403, 403, 403, 403, 302, 403, 403), body=said(based_on="1", note="")),
    Row("GET", "governance:policy_edit", DRAFTED, on="policy_draft"),
    Row("GET", "governance:policy_edit", (302, 403, 403, 403, 403, 409, 403, 403), on="policy"),
    Row("POST", "governance:policy_edit", done(DRAFTED), on="policy_draft", body=said(revision=1, note="Better.")),
    Row("GET", "governance:policy_cell", DRAFTED, on="policy_cell"),
    Row("POST", "governance:policy_cell", done(DRAFTED), on="policy_cell", body=bodies.cell),
    Row("GET", "governance:policy_publish", DRAFTED, on="policy_draft"),
    Row("POST", "governance:policy_publish", done(DRAFTED), on="policy_draft", body=said(revision=1)),
    Row("POST", "governance:policy_discard", done(DRAFTED), on="policy_draft", body=said(revision=1)),
    Row("GET", "governance:signing_keys", (302, 403, 403, 403, 403, 200, 403, 403)),
    Row(
        "POST",
        "governance:signing_key_rotate",
        (302, 403, 403, 403, 403, 302, 403, 403),
        body=said(algorithm="EdDSA", reason="Yearly."),
    ),
    Row(
        "POST",
        "governance:signing_key_revoke",
        (302, 403, 403, 403, 403, 302, 403, 403),
        on="signing_key",
        body=said(reason="It leaked."),
    ),
    Row("GET", "governance:decision_register", EVERYBODY),
    Row("GET", "governance:pack_list", READERS_OF_THE_TRAIL),
    Row("GET", "governance:pack_verifier", READERS_OF_THE_TRAIL),
    Row("GET", "governance:pack_new", (302, 403, 403, 403, 403, 403, 200, 403)),
    Row("POST", "governance:pack_new", (302, 403, 403, 403, 403, 403, 302, 403), body=bodies.build_pack),
    # Its auditor, and whoever reads the whole trail; to an officer of the project it does not exist.
    Row("GET", "governance:pack", (302, 403, 403, 403, 404, 200, 200, 404), on="pack"),
    Row("GET", "governance:pack_progress", (302, 403, 403, 403, 404, 200, 200, 404), on="pack"),
    Row("GET", "governance:pack_file", (302, 403, 403, 403, 404, 409, 409, 404), on="pack"),
    Row("POST", "governance:pack_remove", (302, 403, 403, 403, 404, 403, 409, 404), on="pack"),
    Row("GET", "governance:audit_trail", READERS_OF_THE_TRAIL),
    Row("GET", "governance:ledger_check", READERS_OF_THE_TRAIL),
    Row("GET", "governance:audit_checks", READERS_OF_THE_TRAIL),
    Row("GET", "governance:audit_anchors", READERS_OF_THE_TRAIL),
    Row("GET", "governance:audit_anchor_file", READERS_OF_THE_TRAIL, on="anchor"),
    Row("POST", "governance:audit_check", (302, 403, 403, 403, 302, 302, 302, 302), body=said(scope="recent")),
)
