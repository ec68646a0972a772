"""The list of versions is read without its serializer: both must say the same, field by field."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from governance.api.versions import DETAIL_NAMES, ROW_NAMES, VersionOutput, VersionRow
from governance.selectors import version_rows
from governance.services import evidence, overrides
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import ModelVersion
from registry.selectors import resources
from registry.services import people
from tests.factories import at_stage, group, use_case, version
from tests.factories.people import SYSTEM

from .world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def told_apart(world: World) -> World:
    """Have versions that differ in everything a row says."""
    plain = group(None, name="unclaimed")
    version(plain, 1, risk="Unknown", card_content="{}")
    several = group(
        world.project, world.people, *(use_case(world.people, world.project) for _ in range(2)), name="several"
    )
    version(several, 7, risk="Medium", metadata={"owner": "risk team"})
    with operation(SYSTEM):
        ModelVersion.objects.filter(group=several).update(
            owner_name="", line_of_business="", purpose="Rank — “applications”.", description="ä\u2028<b>"
        )
    # In QA something is asked for; nobody has asked for an approval there yet.
    tried = at_stage(world.people, version(several, 8, risk="High", metrics={}), Stage.QA)
    evidence.attach_upload(
        actor=world.people.scientist.actor,
        subject_type=ModelVersion,
        subject_id=tried.pk,
        kind=EvidenceKind.BIAS_REPORT,
        file=SimpleUploadedFile("bias.txt", b"Fair.", "text/plain"),
    )
    overrides.break_glass(
        actor=world.people.officer.actor,
        subject_type=ModelVersion,
        subject_id=tried.pk,
        stage=Stage.QA,
        check_key="evidence:explainability_report",
        reason="It is being written.",
        expires_at=timezone.now() + timedelta(days=5),
    )
    people.edit_person(actor=SYSTEM, user=world.people.owner, display_name="Olga Owner")
    return world


def test_the_list_says_of_every_version_what_its_serializer_says(told_apart: World) -> None:
    actor = told_apart.people.admin.actor
    rows = resources.model_versions(actor).order_by("pk")
    expected = json.loads(JSONRenderer().render(VersionRow(rows, many=True).data))
    answered = told_apart.api("ml_admin").results("model-versions/", ordering="id", page_size=200)
    assert len(answered) == len(expected) >= 4
    for one, other in zip(answered, expected, strict=True):
        assert list(one) == list(other) == list(ROW_NAMES)
        assert one == other


def test_one_field_alone_is_what_it_is_among_all(told_apart: World) -> None:
    actor = told_apart.people.admin.actor
    rows = version_rows.visible(actor).order_by("pk")
    whole = version_rows.shown(version_rows.plain(rows, ROW_NAMES), ROW_NAMES)
    for name in ROW_NAMES:
        assert version_rows.shown(version_rows.plain(rows, [name]), [name]) == [{name: row[name]} for row in whole]


def test_a_page_costs_the_same_queries_however_many_rows_and_use_cases(told_apart: World) -> None:
    api, counts = told_apart.api("ml_admin"), []
    for size in (1, 200):
        with CaptureQueriesContext(connection) as asked:
            api.results("model-versions/", page_size=size)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4


@pytest.mark.parametrize("ordering", ["aws_modified_at", "-aws_modified_at", "-group,version", "status,-risk"])
def test_pages_follow_each_other_without_losing_or_repeating_a_row(told_apart: World, ordering: str) -> None:
    api = told_apart.api("ml_admin")
    whole = [row["id"] for row in api.results("model-versions/", ordering=ordering)]
    page: dict[str, Any] = api.get("model-versions/", ordering=ordering, page_size=1)
    found, seen = list(page["results"]), 0
    while page["next"] and (seen := seen + 1) < 50:
        page = api.client.get(page["next"]).json()
        found += page["results"]
    assert [row["id"] for row in found] == whole
    back = api.client.get(page["previous"]).json() if page["previous"] else page
    assert [row["id"] for row in back["results"]] == whole[-2:-1]


def test_a_detail_says_of_every_version_what_its_serializer_says(told_apart: World) -> None:
    api, actor = told_apart.api("ml_admin"), told_apart.people.admin.actor
    context = {"actor": actor, "request": None}
    for version_ in resources.model_versions_in_detail(actor).order_by("pk"):
        expected = json.loads(JSONRenderer().render(VersionOutput(version_, context=context).data))
        answered = api.get(f"model-versions/{version_.pk}/")
        assert list(answered) == list(expected) == list(DETAIL_NAMES)
        assert answered == expected
    outcomes = {one["key"]: one["outcome"] for one in answered["requirements"]["checks"]}
    assert outcomes["evidence:bias_report"] == "pass"
    assert outcomes["evidence:explainability_report"] == "overridden"


def test_a_detail_is_read_by_one_statement_where_nothing_rare_is_to_be_told(told_apart: World) -> None:
    pk = ModelVersion.objects.get(group__name="several", number=7).pk
    api = told_apart.api("ml_engineer")
    api.get(f"model-versions/{pk}/")
    with CaptureQueriesContext(connection) as asked:
        api.get(f"model-versions/{pk}/", fields="id,name,requirements,agreement,outside_changes,mlflow_run")
    # Of the ORM's there are none but what counts the token's use.
    assert len(asked) <= 1, [one["sql"][:120] for one in asked]
