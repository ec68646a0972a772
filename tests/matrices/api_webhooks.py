"""Rows of the matrix for webhooks: ML admins set them up, auditors look; others do not know which there are."""

from __future__ import annotations

from .api_row import EVERYBODY, Row

ROWS: tuple[Row, ...] = (
    Row("GET", "webhooks/", (401, 403, 403, 403, 403, 200, 200, 403)),
    Row("GET", "webhooks/events/", EVERYBODY),
    Row(
        "POST",
        "webhooks/",
        (401, 403, 403, 403, 403, 201, 403, 403),
        body={"name": "Another", "url": "https://hooks.example.org/", "events": ["approval.*"]},
    ),
    Row("GET", "webhooks/{id}/", (401, 404, 404, 404, 404, 200, 200, 404), on="webhook"),
    Row(
        "PATCH",
        "webhooks/{id}/",
        (401, 404, 404, 404, 404, 200, 403, 404),
        on="webhook",
        body={"name": "Renamed"},
        headers={"If-Match": '"1"'},
    ),
    Row("DELETE", "webhooks/{id}/", (401, 404, 404, 404, 404, 204, 403, 404), on="webhook", headers={"If-Match": "*"}),
    Row("POST", "webhooks/{id}/enable/", (401, 404, 404, 404, 404, 409, 403, 404), on="webhook", body={}),
    Row("POST", "webhooks/{id}/disable/", (401, 404, 404, 404, 404, 200, 403, 404), on="webhook", body={}),
    Row("POST", "webhooks/{id}/rotate-secret/", (401, 404, 404, 404, 404, 200, 403, 404), on="webhook", body={}),
    Row("POST", "webhooks/{id}/test/", (401, 404, 404, 404, 404, 200, 403, 404), on="webhook", body={}),
    Row("GET", "webhooks/{id}/deliveries/", (401, 404, 404, 404, 404, 200, 200, 404), on="webhook"),
    Row("GET", "webhooks/{id}/deliveries/{delivery}/", (401, 404, 404, 404, 404, 200, 200, 404), on="webhook"),
    Row(
        "POST",
        "webhooks/{id}/deliveries/{delivery}/redeliver/",
        (401, 404, 404, 404, 404, 200, 403, 404),
        on="webhook",
        body={},
    ),
)
