"""Rows of the matrix for what runs and reaches AWS: deployments, their orders, accounts and shares."""

from __future__ import annotations

from .api_row import CURRENT, EVERYBODY, OF_AN_ACCOUNT, OF_THE_PROJECT, OPERATORS, SHARERS, SHARING, Row

ROWS: tuple[Row, ...] = (
    # deployments
    Row("GET", "deployments/", EVERYBODY),
    Row("GET", "deployments/{id}/", OF_THE_PROJECT, on="deployment"),
    Row(
        "POST",
        "deployments/{id}/status/",
        (401, 403, 403, 200, 403, 403, 403, 404),
        on="deployment",
        body={"status": "deployed", "endpoint": "e"},
    ),
    # pipelines that wait to be told whether they may deploy: whoever reports deployments says so
    Row("GET", "deployments/callbacks/", EVERYBODY),
    Row(
        "POST",
        "deployments/callbacks/",
        (401, 403, 403, 201, 403, 403, 403, 404),
        body={
            "model_package_arn": "arn:aws:sagemaker:us-east-1:111111111111:model-package/models/2",
            "stage": "pre_production",
            "account": "333333333333",
            "callback_token": "AbCdEf1234",
        },
    ),
    # how orders for an account leave; the world's one channel waits for pipelines to ask, and signs nothing
    Row("GET", "accounts/{id}/channels/", OF_AN_ACCOUNT, on="account"),
    Row(
        "POST",
        "accounts/{id}/channels/",
        (401, 404, 404, 403, 403, 201, 403, 403),
        on="account",
        body={"stage": "qa", "kind": "pipeline", "pipeline": "p", "parameters": {"Arn": "model_package_arn"}},
    ),
    Row("GET", "accounts/{id}/channels/{channel}/", OF_AN_ACCOUNT, on="account"),
    Row(
        "PATCH",
        "accounts/{id}/channels/{channel}/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="account",
        body={"is_enabled": False},
        headers=CURRENT,
    ),
    Row(
        "DELETE",
        "accounts/{id}/channels/{channel}/",
        (401, 404, 404, 403, 403, 204, 403, 403),
        on="account",
        headers=CURRENT,
    ),
    Row(
        "POST",
        "accounts/{id}/channels/{channel}/rotate-secret/",
        (401, 404, 404, 403, 403, 409, 403, 403),
        on="account",
        body={"grace_hours": 1},
    ),
    Row("POST", "accounts/{id}/channels/{channel}/try/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    # accounts: operated and overseen by people of any project
    Row("GET", "accounts/", OPERATORS),
    Row(
        "POST",
        "accounts/",
        (401, 403, 403, 403, 403, 201, 403, 403),
        body={"account_id": "555555555555", "alias": "new", "purposes": ["qa"]},
    ),
    Row("GET", "accounts/{id}/", (401, 404, 404, 200, 200, 200, 200, 200), on="account"),
    Row(
        "PATCH",
        "accounts/{id}/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="account",
        body={"alias": "renamed"},
        headers=CURRENT,
    ),
    Row("GET", "accounts/{id}/personas/", OF_AN_ACCOUNT, on="account"),
    Row("GET", "account-roles/", OPERATORS),
    Row("GET", "account-roles/{id}/", OF_AN_ACCOUNT, on="account_role"),
    Row(
        "POST",
        "account-roles/{id}/link/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="account_role",
        body={"persona": "governance_officer"},
    ),
    Row("GET", "endpoint-metrics/", EVERYBODY),
    Row("GET", "endpoint-metrics/{id}/", OF_THE_PROJECT, on="endpoint_series"),
    Row("POST", "accounts/{id}/test/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    Row("POST", "accounts/{id}/preflight/", (401, 404, 404, 403, 403, 200, 403, 403), on="account"),
    Row("GET", "accounts/{id}/outbox/", OF_AN_ACCOUNT, on="account"),
    Row("POST", "accounts/{id}/sync/", (401, 404, 404, 202, 403, 202, 403, 202), on="account"),
    Row("GET", "sync-runs/", OPERATORS),
    Row("POST", "accounts/{id}/redrive-events/", (401, 404, 404, 403, 403, 409, 403, 403), on="account"),
    Row("GET", "parked-events/", OPERATORS),
    Row("GET", "parked-events/{id}/", (401, 404, 404, 200, 200, 200, 200, 200), on="parked_event"),
    Row("POST", "parked-events/{id}/replay/", (401, 404, 404, 403, 403, 200, 403, 403), on="parked_event"),
    Row(
        "POST",
        "parked-events/{id}/dismiss/",
        (401, 404, 404, 403, 403, 200, 403, 403),
        on="parked_event",
        body={"reason": "A test message."},
    ),
    Row("GET", "outbox/", EVERYBODY),
    Row(
        "POST",
        "outbox/retry-failed/",
        (401, 403, 403, 200, 403, 200, 403, 200),
        body={"account": "333333333333"},
    ),
    Row("POST", "outbox/{id}/retry/", (401, 403, 403, 200, 403, 200, 403, 404), on="message"),
    # shares: the engineer has declared one; nothing is made in RAM yet
    Row("GET", "shares/", EVERYBODY),
    Row("GET", "resource-shares/", EVERYBODY),
    Row("GET", "shares/{id}/", OF_THE_PROJECT, on="share"),
    Row("POST", "shares/", (401, 403, 403, 400, 403, 400, 403, 400), body={"name": "x", "groups": [999999999]}),
    Row("POST", "shares/preview/", (401, 403, 403, 400, 403, 400, 403, 400), body={"name": "x", "groups": [999999999]}),
    Row("PATCH", "shares/{id}/", SHARERS, on="share", body={"name": "better"}, headers=CURRENT),
    Row("DELETE", "shares/{id}/", SHARING, on="share", headers=CURRENT),
    Row("POST", "shares/{id}/accept/", (401, 403, 403, 409, 403, 409, 403, 404), on="share"),
    Row("POST", "shares/{id}/reinvite/", SHARING, on="share", body={"account": "222222222222"}),
    Row("POST", "shares/{id}/apply/", SHARING, on="share", body={"reason": "Changed by hand."}),
)
