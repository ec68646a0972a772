"""What lists are asked: filters, orderings, pages; what cannot be used is refused and named."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from .world import World


def test_a_page_is_not_shifted_by_what_is_added_meanwhile(world: World) -> None:
    api = world.api("governance_officer")
    page = api.get("use-cases/", page_size=1)
    world.api("data_scientist").post("use-cases/", {"name": "Newer", "intended_purpose": "x", "project": "here"})
    after = api.get("use-cases/", **dict(parse_qsl(urlsplit(page["next"]).query)))
    assert [page["results"][0]["name"], after["results"][0]["name"]] == ["Asked", "Draft"]


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=201",
        "page_size=-1",
        "page_size=x",
        "page_size=9999999999999999999999",
        "page_size=",
        "cursor=x",
        "cursor=",
        "ordering=nonsense",
        "ordering=-",
        "ordering=name,,id",
        "search=%00",
        "search=",
        "search=" + "+".join(f"word{number}" for number in range(21)),
        "search=" + ",".join(f"word{number}" for number in range(21)),
        "search=" + "a" * 501,
        "nonsense=1",
        "stage=nowhere",
        "stage=",
        "page_size=1&page_size=2",
        "project=here&project=there",
        "page=2",
        "limit=3",
    ],
)
def test_parameters_that_cannot_be_used(world: World, query: str) -> None:
    refusal = world.api("auditor").get(f"use-cases/?{query}", 400)
    assert set(refusal["errors"]) == {query.split("=", maxsplit=1)[0]}


def test_parameters_a_detail_or_a_verb_does_not_know(world: World) -> None:
    assert "stage" in world.api("auditor").get("use-cases/UC-0001/?stage=qa", 400)["errors"]
    refusal = world.api("data_scientist").post(f"use-cases/{world.draft.public_id}/submit/?dry_run=1", {}, 400)
    assert "dry_run" in refusal["errors"]


def test_a_cursor_belongs_to_its_ordering(world: World) -> None:
    api = world.api("auditor")
    following = api.get("use-cases/", page_size=1)["next"]
    query = dict(parse_qsl(urlsplit(following).query))
    assert api.get("use-cases/", 400, **{**query, "ordering": "name"})["errors"].keys() == {"cursor"}
    assert api.get("model-versions/", 400, **query)["errors"].keys() == {"cursor"}


FILTERS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    # list, query, the field that tells the rows apart, what is found
    ("use-cases/", "stage=poc", "name", ("Asked", "Draft")),
    ("use-cases/", "stage=qa", "name", ()),
    ("use-cases/", "stage=qa&stage=poc", "name", ("Asked", "Draft")),
    ("use-cases/", "status=pending&risk_class=limited", "name", ("Asked", "Draft")),
    ("use-cases/", "risk_class=high", "name", ()),
    ("use-cases/", "project=here", "name", ("Asked", "Draft")),
    ("use-cases/", "project=there", "name", ()),
    ("use-cases/", "search=draft", "name", ("Draft",)),
    ("use-cases/", "ordering=name", "name", ("Asked", "Draft")),
    ("use-cases/", "ordering=-name", "name", ("Draft", "Asked")),
    ("model-groups/", "name=models", "name", ("models",)),
    ("model-groups/", "name=other", "name", ()),
    ("model-groups/", "account=111111111111&project=here&use_case={asked}", "name", ("models",)),
    ("model-groups/", "use_case={draft}", "name", ()),
    ("model-versions/", "group=models", "name", ("models/2", "models/1")),
    ("model-versions/", "model_package_arn={arn}", "name", ("models/2",)),
    ("model-versions/", "model_package_arn=arn:aws:nothing", "name", ()),
    ("model-versions/", "stage=qa&status=pending", "name", ("models/2",)),
    ("model-versions/", "use_case={asked}&risk=high", "name", ("models/2",)),
    ("model-versions/", "use_case=UC-4711", "name", ()),
    ("model-versions/", "risk=unknown", "name", ("models/1",)),
    ("stage-records/", "model_package_arn={arn}", "model_stage", ("qa", "development")),
    ("stage-records/", "model_package_arn={arn}&model_stage=qa", "model_status", ("pending",)),
    ("stage-records/", "model_status=approved", "model_stage", ("development",)),
    ("stage-records/", "use_case_id={asked}&model_risk=high&model_project=here", "model_stage", ("qa", "development")),
    ("stage-records/", "use_case_id={draft}", "model_stage", ()),
    ("stage-records/", "account=333333333333", "model_stage", ("qa",)),
    ("approvals/", "state=open", "kind", ("model_version", "use_case")),
    ("approvals/", "state=open&kind=use_case", "stage", ("poc",)),
    ("approvals/", "use_case={asked}", "kind", ("use_case",)),
    ("approvals/", "model_package_arn={arn}&stage=qa", "state", ("open",)),
    ("approvals/", "queue=mine", "kind", ("model_version",)),
    ("approvals/", "queue=role", "kind", ("model_version",)),
    ("approvals/", "queue=overdue", "kind", ()),
    ("approvals/", "queue=decided", "kind", ()),
    ("deployments/", "model_package_arn={arn}&stage=qa&account=333333333333", "status", ("ordered",)),
    ("deployments/", "status=ordered&mode=trial", "stage", ("qa",)),
    ("deployments/", "state=deployed", "stage", ()),
    ("sync-runs/", "account=111111111111&state=succeeded&kind=full", "region", ("us-east-1",)),
    ("sync-runs/", "state=failed", "region", ()),
    ("shares/", "state=declared&account=111111111111&group=models&shared_with=222222222222", "name", ("readers",)),
    ("resource-shares/", "state=ACTIVE&account=111111111111&group=models", "name", ("share",)),
    ("findings/", "kind=card_invalid&state=open&severity=warning", "kind", ("card_invalid",)),
    ("findings/", "kind=missing_in_aws", "kind", ()),
    ("outbox/", "kind=write_back&state=pending&model_package_arn={arn}", "kind", ("write_back",)),
    ("outbox/", "state=failed", "kind", ()),
    ("policies/", "state=published", "number", (2, 1)),
    ("policies/", "state=draft", "number", (3,)),
    ("projects/", "key=here", "key", ("here",)),
    ("accounts/", "search=account-333", "account_id", ("333333333333",)),
    ("audit-events/", "table=registry_usecase&object_id={draft_pk}&ordering=sequence", "action", ("insert", "update", "update")),
    ("audit-events/", "table=nothing", "action", ()),
)  # fmt: skip


@pytest.mark.parametrize(("path", "query", "field", "found"), FILTERS, ids=lambda value: str(value)[:60])
def test_filters(world: World, path: str, query: str, field: str, found: tuple[Any, ...]) -> None:
    filled = query.format(**world.ids, arn=world.trial.arn, draft_pk=world.draft.pk)
    filled = filled.replace(world.ids["draft"], world.draft.public_id).replace(
        world.ids["asked"], world.asked.public_id
    )
    assert tuple(row[field] for row in world.api("governance_officer").results(f"{path}?{filled}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "approvals/?queue=nonsense",
        "approvals/?use_case=17",
        "approvals/?state=gone",
        "model-versions/?use_case=uc-0001",
        "model-versions/?risk=purple",
        "stage-records/?use_case_id=1",
        "stage-records/?stage=qa",
        "deployments/?account=333",
        "sync-runs/?account=x",
        "findings/?severity=mild",
        "outbox/?kind=pigeon",
        "policies/?state=old",
        "shares/?state=open",
        "audit-events/?chain=x",
        "accounts/?alias=x",
        "projects/?name=x",
        "model-groups/?use_case=x",
        "me/?x=1",
        "audit-events/verify/?page_size=1",
        "use-cases/{draft}/timeline/?stage=poc",
        "use-cases/{draft}/timeline/?ordering=id",
    ],
)
def test_filters_with_unknown_names_or_values(world: World, query: str) -> None:
    filled = query.format(draft=world.draft.public_id)
    refusal = world.api("governance_officer").get(filled, 400)
    assert set(refusal["errors"]) == {filled.partition("?")[2].partition("=")[0]}


def test_a_queue_is_read_by_role(world: World) -> None:
    def kinds(role: str, queue: str) -> list[str]:
        return [row["kind"] for row in world.api(role).results("approvals/", queue=queue)]

    assert kinds("model_owner", "mine") == ["use_case"]
    assert kinds("data_scientist", "mine") == kinds("auditor", "role") == kinds("stranger", "role") == []
    world.api("model_owner").post(f"approvals/{world.use_case_request.public_id}/decisions/", {"decision": "approve"})
    assert kinds("model_owner", "mine") == []
    # The version's development was his decision too, when the world was made.
    assert kinds("model_owner", "decided") == ["model_version", "use_case"]
