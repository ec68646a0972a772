"""What a browser sends with each POST of the matrix of pages: the least that is done, or refused for the right reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.api.world import World


def said(**values: Any) -> Callable[[World], dict[str, Any]]:
    """Return a body that does not depend on the world."""
    return lambda world: values


def edit(world: World) -> dict[str, Any]:
    return {"name": "Clearer", "intended_purpose": "Rank.", "revision": world.draft.revision}


def note(world: World) -> dict[str, Any]:
    return {"revision": world.trial_record.revision}


def save_draft(world: World) -> dict[str, Any]:
    return {"go": "next", "business_owner": "The head of cards", "revision": "0", "window": "feedfeed"}


def register_draft(world: World) -> dict[str, Any]:
    return {"revision": world.unsent.revision}


def review(world: World) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "reviewed_on": str(today),
        "note": "Nothing changed.",
        "next_review_on": str(today + timedelta(days=90)),
        "revision": world.draft.revision,
    }


def plan_review(world: World) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=60)
    return {"next_review_on": str(day), "reason": "", "revision": world.draft.revision}


def register(world: World) -> dict[str, Any]:
    return {"name": "New", "intended_purpose": "Rank.", "project": world.project.pk}


def rename(world: World) -> dict[str, Any]:
    return {"name": "Tested", "audience": "owner", "revision": world.saved_view.revision}


def now_shows(world: World) -> dict[str, Any]:
    return {"query": "stage=poc", "revision": world.saved_view.revision}


def until(world: World) -> dict[str, Any]:
    return {"reason": "The card comes with the next version.", "until": str(timezone.localdate())}


def to_owner(world: World) -> dict[str, Any]:
    return {"owner": world.people.owner.pk, "reason": ""}


def confirm(world: World) -> dict[str, Any]:
    row = world.draft.classifications.proposed().get()
    return {"act": "confirm", "classification": row.pk, "risk_class": "minimal", "reason": ""}


def claim(world: World) -> dict[str, Any]:
    return {
        "project": world.project.pk,
        "owner": world.people.owner.pk,
        "use_cases": [world.asked.pk],
        "revision": world.group.revision,
    }


def register_version(world: World) -> dict[str, Any]:
    return {"image_1": "image:1", "content_types": "text/csv", "response_types": "text/csv", "count": "1"}


def new_group(world: World) -> dict[str, Any]:
    return {"name": "by-page", "project": world.project.pk, "where": "111111111111/us-east-1"}


def reshare(world: World) -> dict[str, Any]:
    return {
        "name": "Readers",
        "groups": [world.group.pk],
        "accounts": [world.accounts["development"].pk],
        "permission": world.share.permission_arn,
        "revision": world.share.revision,
    }


def override(world: World) -> dict[str, Any]:
    return {"check": "evidence:nonsense", "reason": "It is late.", "expires_at": "2020-01-01T00:00"}


def build_pack(world: World) -> dict[str, Any]:
    return {"scope": "use_case", "use_case": world.draft.public_id}


def roll_back(world: World) -> dict[str, Any]:
    return {"stage": "poc", "reason": "The later one fails."}


def delegate(world: World) -> dict[str, Any]:
    return {
        "delegator": world.people.owner.pk,
        "delegate": world.people.officer.pk,
        "role": "model_owner",
        "project": world.project.pk,
        "starts_on": str(timezone.localdate()),
        "ends_on": str(timezone.localdate()),
        "reason": "Away.",
    }


def cell(world: World) -> dict[str, Any]:
    return {
        "revision": 1,
        "count_governance_officer": 1,
        "days_until_due": 5,
        "days_until_expiry": 9,
        "evidence": ["model_card"],
        "metric_0_path": "auc",
        "metric_0_operator": ">=",
        "metric_0_value": "0.75",
        "metric_0_kind": "validation",
    }


def channel(world: World) -> dict[str, Any]:
    account = world.accounts["test"].pk
    return {"account": account, "stage": "qa", "url": "https://deploy.example.org/orders", "is_enabled": "on"}


def webhook(world: World) -> dict[str, Any]:
    url = "https://hooks.example.org/"
    return {"name": "Another", "url": url, "events": ["approval.*"], "project": world.project.pk}


def webhook_again(world: World) -> dict[str, Any]:
    return {**webhook(world), "revision": world.webhook.revision}


def asked_by_any(world: World) -> dict[str, Any]:
    return {"runs_in": "hub", "is_enabled": "on", "revision": world.channel.revision}


def attach(world: World) -> dict[str, Any]:
    return {"kind": "bias_report", "file": SimpleUploadedFile("bias.txt", b"It holds.", "text/plain")}


ACCOUNT = {
    "account_id": "555555555555",
    "alias": "new",
    "purposes": ["qa"],
    "regions": "us-east-1",
    "event_bus": "default",
    "is_enabled": "on",
}
