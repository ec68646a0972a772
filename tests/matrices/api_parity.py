"""Rows of the matrix for what pages show or do and the API does as well: own things, acts on many rows, registers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .api_row import CURRENT, EVERYBODY, OF_THE_PROJECT, OPERATORS, TODAY, TRAIL, Row

HIS_OWN = (401, 200, 404, 404, 404, 404, 404, 404)
HIS_OWN_GONE = (401, 204, 404, 404, 404, 404, 404, 404)
OFFICERS_OWN = (401, 404, 404, 404, 200, 404, 404, 404)
ACCESS = (401, 403, 403, 403, 403, 200, 403, 403)
ACCESS_MADE = (401, 403, 403, 403, 403, 201, 403, 403)
ACCESS_GONE = (401, 403, 403, 403, 403, 204, 403, 403)
DECIDERS = (401, 403, 200, 403, 200, 403, 403, 200)
HANDLERS = (401, 403, 403, 403, 200, 403, 403, 200)
OPERATE = (401, 403, 403, 200, 403, 200, 403, 200)
ADMINS = (401, 403, 403, 403, 403, 200, 403, 403)
KEPT = {"list": "registry:use_case_list", "name": "In production", "query": "stage=production"}
PURPOSE = {"name": ["Churn"], "intended_purpose": ["Rank."], "project": ["here"]}
ONE_USE_CASE = {"scope": "use_case", "use_case": "UC-0001"}
NOBODY = {"ids": ["1"]}
IN_A_QUARTER = str(datetime.now(UTC).date() + timedelta(days=90))

ROWS: tuple[Row, ...] = (
    # what a use case's page shows beside its fields; sending it back is a decision on the request that waits
    Row("GET", "use-cases/{id}/reviews/", OF_THE_PROJECT, on="draft"),
    Row(
        "POST",
        "use-cases/{id}/reviews/",
        (401, 403, 403, 403, 201, 403, 403, 404),
        on="draft",
        body={"reviewed_on": TODAY, "note": "Nothing has changed.", "next_review_on": IN_A_QUARTER},
        headers=CURRENT,
    ),
    Row(
        "PUT",
        "use-cases/{id}/review-plan/",
        (401, 200, 200, 403, 200, 403, 403, 404),
        on="draft",
        body={"next_review_on": None, "reason": "It is not in use."},
        headers=CURRENT,
    ),
    Row("GET", "use-cases/{id}/monitoring/", OF_THE_PROJECT, on="draft"),
    Row("GET", "use-cases/{id}/people/", OF_THE_PROJECT, on="draft"),
    Row("GET", "use-cases/{id}/deciders/", OF_THE_PROJECT, on="asked"),
    Row(
        "POST",
        "use-cases/{id}/reject-back/",
        (401, 403, 201, 403, 403, 403, 403, 404),
        on="asked",
        body={"reason": "The documents are missing.", "back_to": "poc"},
    ),
    Row("GET", "use-cases/{id}/history/", OF_THE_PROJECT, on="draft"),
    Row("GET", "ai-act/to-confirm/", EVERYBODY),
    Row("GET", "reviews/", EVERYBODY),
    Row("GET", "reviews/counts/", EVERYBODY),
    # ... and a version's
    Row("GET", "model-versions/{id}/lineage/", OF_THE_PROJECT, on="fresh"),
    Row("GET", "model-versions/{id}/compare/", (401, 400, 400, 400, 400, 400, 400, 404), on="fresh"),
    Row("GET", "model-versions/{id}/metrics/", OF_THE_PROJECT, on="trial"),
    Row("GET", "model-versions/{id}/history/", OF_THE_PROJECT, on="fresh"),
    Row("GET", "model-versions/{id}/reports/", OF_THE_PROJECT, on="fresh"),
    Row("GET", "model-groups/{id}/history/", OF_THE_PROJECT, on="group"),
    Row("GET", "shares/{id}/history/", OF_THE_PROJECT, on="share"),
    Row("GET", "outbox/{id}/", OF_THE_PROJECT, on="message"),
    Row("GET", "model-groups/{id}/metrics/", OF_THE_PROJECT, on="group"),
    Row("GET", "model-groups/{id}/shown-to/", OF_THE_PROJECT, on="group"),
    Row(
        "POST",
        "model-groups/bulk-claim/",
        (401, 403, 200, 200, 403, 200, 403, 400),
        body={**NOBODY, "project": "here"},
    ),
    # ... and a request's
    Row("GET", "approvals/{id}/outlook/", OF_THE_PROJECT, on="version_request"),
    Row("POST", "approvals/bulk-approve/", DECIDERS, body={"ids": ["AR-999999"], "comment": "I looked."}),
    Row("GET", "decisions/", EVERYBODY),
    Row("GET", "decisions/{id}/", OF_THE_PROJECT, on="decision"),
    Row("GET", "endpoints/", EVERYBODY),
    Row("GET", "endpoints/{id}/", OF_THE_PROJECT, on="deployment"),
    Row("GET", "observed-endpoints/", EVERYBODY),
    Row("GET", "observed-endpoints/{id}/", OF_THE_PROJECT, on="served"),
    Row("GET", "model-dashboard/", EVERYBODY),
    Row("POST", "evidence/{id}/check/", OF_THE_PROJECT, on="evidence"),
    # findings, write-backs and registry events, several at once
    Row("POST", "findings/bulk-acknowledge/", HANDLERS, body={"ids": ["FND-999999"]}),
    Row("POST", "findings/bulk-assign/", HANDLERS, body={"ids": ["FND-999999"], "owner": None, "reason": ""}),
    Row("POST", "findings/bulk-due/", HANDLERS, body={"ids": ["FND-999999"], "due_on": None, "reason": ""}),
    Row("POST", "outbox/bulk-retry/", OPERATE, body=NOBODY),
    Row("POST", "parked-events/bulk-replay/", ADMINS, body=NOBODY),
    Row("POST", "parked-events/bulk-dismiss/", ADMINS, body={**NOBODY, "reason": "A test message."}),
    # operations and shares
    Row("GET", "sync-runs/last-day/", OPERATORS),
    Row("GET", "shares/posture/", EVERYBODY),
    Row("POST", "shares/{id}/read/", (401, 403, 403, 202, 403, 202, 403, 404), on="share"),
    Row("GET", "gate/signing-keys/", ADMINS),
    # everything at a glance
    Row("GET", "dashboard/", EVERYBODY),
    Row("GET", "search/", (401, *(400,) * 7)),
    # what one is told: nobody else's
    Row("GET", "notifications/", EVERYBODY),
    Row("GET", "notifications/{id}/", OFFICERS_OWN, on="notification"),
    Row("POST", "notifications/{id}/read/", OFFICERS_OWN, on="notification"),
    Row("POST", "notifications/{id}/unread/", OFFICERS_OWN, on="notification"),
    Row("POST", "notifications/read-all/", EVERYBODY, body={"newest": None}),
    Row("GET", "notifications/unread-count/", EVERYBODY),
    Row("GET", "notifications/settings/", EVERYBODY),
    Row(
        "PATCH",
        "notifications/settings/",
        EVERYBODY,
        body={"digest_hour": 7, "choices": {"review_due": {"email": False}}},
        headers=CURRENT,
    ),
    Row(
        "PUT", "notifications/settings/chat/", EVERYBODY, body={"kind": "slack", "url": "https://hooks.slack.com/x"}, headers=CURRENT),
    Row("DELETE", "notifications/settings/chat/", (401, *(409,) * 7), headers=CURRENT),
    Row("POST", "notifications/settings/chat/test/", (401, *(409,) * 7)),
    # saved views: the data scientist keeps one
    Row("GET", "saved-views/", EVERYBODY),
    Row("POST", "saved-views/", (401, *(201,) * 7), body=KEPT),
    Row("PUT", "saved-views/usual/", EVERYBODY, body={"list": "registry:use_case_list", "view": None}),
    Row("GET", "saved-views/{id}/", HIS_OWN, on="saved_view"),
    Row("PATCH", "saved-views/{id}/", HIS_OWN, on="saved_view", body={"name": "In QA now"}, headers=CURRENT),
    Row("PUT", "saved-views/{id}/shown/", HIS_OWN, on="saved_view", body={"query": "stage=qa"}, headers=CURRENT),
    Row("DELETE", "saved-views/{id}/", HIS_OWN_GONE, on="saved_view", headers=CURRENT),
    # drafts: the data scientist has begun one, and answered nothing of the AI Act yet
    Row("GET", "use-case-drafts/", EVERYBODY),
    Row("POST", "use-case-drafts/", (401, 201, 201, 403, 403, 403, 403, 201), body={"values": PURPOSE}),
    Row("GET", "use-case-drafts/{id}/", HIS_OWN, on="unsent"),
    Row(
        "PUT", "use-case-drafts/{id}/steps/{step}/", HIS_OWN, on="unsent", body={"values": PURPOSE}, headers=CURRENT
    ),
    Row("DELETE", "use-case-drafts/{id}/", HIS_OWN_GONE, on="unsent", headers=CURRENT),
    Row(
        "POST",
        "use-case-drafts/{id}/register/",
        (401, 201, 404, 404, 404, 404, 404, 404),
        on="unsent",
        headers=CURRENT,
    ),
    # audit packs: the auditor has asked for one
    Row("GET", "audit-packs/", TRAIL),
    Row("POST", "audit-packs/", (401, 403, 403, 403, 403, 403, 202, 403), body=ONE_USE_CASE),
    Row("POST", "audit-packs/preview/", (401, 403, 403, 403, 403, 403, 200, 403), body=ONE_USE_CASE),
    Row("GET", "audit-packs/verifier/", TRAIL),
    Row("GET", "audit-packs/{id}/", (401, 403, 403, 403, 404, 200, 200, 404), on="pack"),
    Row("GET", "audit-packs/{id}/file/", (401, 403, 403, 403, 404, 409, 409, 404), on="pack"),
    Row("POST", "audit-packs/{id}/remove/", (401, 403, 403, 403, 404, 403, 409, 404), on="pack"),
    # people, for those who manage access
    Row("GET", "people/", ACCESS),
    Row("POST", "people/", ACCESS_MADE, body={"username": "new.person", "display_name": "New", "email": ""}),
    Row("GET", "people/{id}/", ACCESS, on="person"),
    Row("PATCH", "people/{id}/", ACCESS, on="person", body={"display_name": "Renamed", "is_active": True}, headers=CURRENT),
    Row("PUT", "people/{id}/password/", ACCESS_GONE, on="person", body={"password": "A-long-one-for-Tests-77"}),
    Row("POST", "people/{id}/grant-role/", ACCESS, on="person", body={"role": "auditor", "project": "here"}),
    Row("POST", "people/{id}/revoke-role/", ACCESS, on="person", body={"role": "auditor", "project": None}),
    Row(
        "POST",
        "people/{id}/aws-identities/",
        ACCESS_MADE,
        on="person",
        body={"arn": "arn:aws:iam::111111111111:user/new"},
    ),
    Row("DELETE", "people/{id}/aws-identities/{identity}/", ACCESS_GONE, on="person"),
    Row("GET", "people/{id}/tokens/", ACCESS, on="person"),
    Row("DELETE", "people/{id}/tokens/{token_key}/", ACCESS_GONE, on="person"),
    Row("GET", "people-groups/", ACCESS),
    Row("POST", "people-groups/", ACCESS_MADE, body={"name": "Reviewers"}),
    Row("GET", "people-groups/{id}/", ACCESS, on="people_group"),
    Row("PATCH", "people-groups/{id}/", ACCESS, on="people_group", body={"name": "Renamed"}, headers=CURRENT),
    Row("DELETE", "people-groups/{id}/", ACCESS_GONE, on="people_group"),
    Row("POST", "people-groups/{id}/add/", ACCESS, on="people_group", body={"person": "stand.in"}),
    Row("POST", "people-groups/{id}/remove/", (401, 403, 403, 403, 403, 409, 403, 403), on="people_group", body={"person": "stand.in"}),
    Row("POST", "people-groups/{id}/grant-role/", ACCESS, on="people_group", body={"role": "auditor"}),
    Row("POST", "people-groups/{id}/revoke-role/", ACCESS, on="people_group", body={"role": "auditor"}),
    Row("POST", "projects/", ACCESS_MADE, body={"key": "new", "name": "New", "line_of_business": "Line of the world"}),
    Row("GET", "projects/{id}/", OF_THE_PROJECT, on="project"),
    Row("PATCH", "projects/{id}/", (401, 403, 403, 403, 403, 200, 403, 404), on="project", body={"name": "Renamed"}, headers=CURRENT),
    Row("GET", "projects/{id}/people/", OF_THE_PROJECT, on="project"),
    Row("GET", "lines-of-business/", EVERYBODY),
    Row("POST", "lines-of-business/", ACCESS_MADE, body={"name": "New line"}),
    Row("GET", "lines-of-business/{id}/", EVERYBODY, on="line"),
    Row("PATCH", "lines-of-business/{id}/", ACCESS, on="line", body={"name": "Renamed"}, headers=CURRENT),
)  # fmt: skip
