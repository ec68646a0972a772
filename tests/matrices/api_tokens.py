"""Rows of the matrix for tokens: one's own, and those of the world's service account."""

from __future__ import annotations

from .api_row import CURRENT, EVERYBODY, Row

ROWS: tuple[Row, ...] = (
    Row("GET", "tokens/", EVERYBODY),
    Row("POST", "tokens/", (401, 201, 201, 201, 201, 201, 201, 201), body={"name": "Nightly"}),
    Row("GET", "tokens/{id}/", (401, 200, 404, 404, 404, 404, 404, 404), on="own_token"),
    Row("DELETE", "tokens/{id}/", (401, 204, 404, 404, 404, 404, 404, 404), on="own_token"),
    Row("GET", "service-accounts/", EVERYBODY),
    Row(
        "POST",
        "service-accounts/",
        (401, 403, 403, 403, 403, 201, 403, 403),
        body={
            "name": "ci.other",
            "purpose": "Reports metrics.",
            "responsible": "stand.in",
            "roles": [{"role": "ml_engineer"}],
        },
    ),
    # ... the ML engineer answers for it
    Row("GET", "service-accounts/{id}/", (401, 404, 404, 200, 404, 200, 404, 404), on="service"),
    Row(
        "PATCH",
        "service-accounts/{id}/",
        (401, 404, 404, 403, 404, 200, 404, 404),
        on="service",
        body={"purpose": "Registers versions every night."},
        headers=CURRENT,
    ),
    Row(
        "POST",
        "service-accounts/{id}/retire/",
        (401, 404, 404, 403, 404, 200, 404, 404),
        on="service",
        body={"reason": "The pipeline is gone."},
    ),
    Row("GET", "service-accounts/{id}/tokens/", (401, 404, 404, 200, 404, 200, 404, 404), on="service"),
    Row(
        "POST",
        "service-accounts/{id}/tokens/",
        (401, 404, 404, 403, 404, 201, 404, 404),
        on="service",
        body={"name": "Second"},
    ),
    Row("GET", "service-accounts/{id}/tokens/{token}/", (401, 404, 404, 200, 404, 200, 404, 404), on="service"),
    Row("DELETE", "service-accounts/{id}/tokens/{token}/", (401, 404, 404, 403, 404, 204, 404, 404), on="service"),
)
