"""Rows of both matrices for model cards of their own: as visible as the model group they are about."""

from __future__ import annotations

from . import api_row, web_row
from .web_bodies import said

API: tuple[api_row.Row, ...] = (
    api_row.Row("GET", "model-cards/", api_row.EVERYBODY),
    api_row.Row("GET", "model-cards/{id}/", api_row.OF_THE_PROJECT, on="model_card"),
    api_row.Row("GET", "model-cards/{id}/versions/", api_row.OF_THE_PROJECT, on="model_card"),
    api_row.Row("GET", "model-cards/{id}/difference/", api_row.OF_THE_PROJECT, on="model_card"),
    api_row.Row("GET", "model-cards/{id}/pdf/", api_row.OF_THE_PROJECT, on="model_card"),
    api_row.Row(
        "POST",
        "model-cards/",
        (401, 202, 202, 403, 403, 403, 403, 400),
        body={"group": "models", "name": "another-card", "content": {"model_overview": {"model_owner": "Lending"}}},
    ),
    api_row.Row(
        "PATCH",
        "model-cards/{id}/",
        (401, 202, 202, 403, 403, 403, 403, 404),
        on="model_card",
        body={"content": {"model_overview": {"model_owner": "Lending"}}},
        headers=api_row.CURRENT,
    ),
    api_row.Row(
        "POST",
        "model-cards/{id}/status/",
        (401, 403, 403, 403, 202, 403, 403, 404),
        on="model_card",
        body={"status": "Approved"},
        headers=api_row.CURRENT,
    ),
    api_row.Row("GET", "model-cards/{id}/exports/", api_row.OF_THE_PROJECT, on="model_card"),
    # The account has no bucket that SageMaker could write to.
    api_row.Row(
        "POST", "model-cards/{id}/exports/", (401, 409, 409, 409, 409, 403, 403, 404), on="model_card", body={}
    ),
    # SageMaker has not written it.
    api_row.Row(
        "GET", "model-cards/{id}/exports/{export}/file/", (401, 409, 409, 409, 409, 409, 409, 404), on="model_card"
    ),
    api_row.Row("GET", "model-card-edits/", api_row.EVERYBODY),
    api_row.Row("GET", "model-card-edits/{id}/", api_row.OF_THE_PROJECT, on="card_edit"),
)
WEB: tuple[web_row.Row, ...] = (
    web_row.Row("GET", "governance:model_card_list", web_row.EVERYBODY),
    web_row.Row("GET", "governance:model_card", web_row.OF_THE_PROJECT, on="model_card"),
    web_row.Row("GET", "governance:model_card_compare", web_row.OF_THE_PROJECT, on="model_card"),
    web_row.Row("GET", "governance:model_card_file", web_row.OF_THE_PROJECT, on="model_card"),
    web_row.Row(
        "POST", "governance:model_card_export", (302, 409, 409, 409, 409, 403, 403, 404), on="model_card", body=said()
    ),
    web_row.Row("GET", "governance:model_card_export_file", (302, 409, 409, 409, 409, 409, 409, 404), on="card_export"),
    web_row.Row("GET", "governance:model_card_new", (302, 200, 200, 403, 403, 403, 403, 200)),
    web_row.Row(
        "POST",
        "governance:model_card_new",
        (302, 422, 422, 403, 403, 403, 403, 422),
        body=said(name="no spaces here", model_owner="Nobody"),
    ),
    web_row.Row("GET", "governance:model_card_edit", (302, 200, 200, 403, 403, 403, 403, 404), on="model_card"),
    web_row.Row(
        "POST",
        "governance:model_card_edit",
        (302, 302, 302, 403, 403, 403, 403, 404),
        on="model_card",
        body=said(revision="1", model_owner="Somebody else"),
    ),
    web_row.Row(
        "POST",
        "governance:model_card_move",
        (302, 403, 403, 403, 302, 403, 403, 404),
        on="model_card",
        body=said(revision="1", status="Approved"),
    ),
)
