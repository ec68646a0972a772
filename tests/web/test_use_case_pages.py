"""The sections of a use case's page, its documents written by two, its reviews, and groups that wait to be claimed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from governance.choices import MetricKind
from governance.models import StageRecord
from governance.services import metrics
from portal.core.vocabulary import Stage, Status
from registry.models import ModelGroup, UseCase, UseCaseDocument, UseCaseReview
from registry.services import use_cases
from registry.web.use_case_tabs import TABS
from tests.api.world import World
from tests.factories import at_stage, group, use_case, version
from tests.factories.records import card

from .test_pages import HTMX, text_of, words_of

AsRole = Callable[[str], Client]


def tab(case: UseCase, name: str) -> str:
    return reverse("registry:use_case_tab", args=[case.number, name])


@pytest.mark.parametrize("name", [name for name in TABS if name not in ("overview", "risk")])
def test_each_section_has_its_address_and_htmx_gets_it_alone(world: World, as_role: AsRole, name: str) -> None:
    client = as_role("auditor")
    whole, part = (client.get(tab(world.asked, name), headers=headers) for headers in ({}, HTMX))
    assert "<html" in text_of(whole)
    assert "<html" not in text_of(part)
    for answer in (whole, part):
        assert len(re.findall(r'aria-current="page" id="tab-' + name, text_of(answer))) == 1
        assert tab(world.asked, "history") in text_of(answer)
    head = words_of(whole)
    assert world.asked.public_id in head
    assert world.project.line_of_business.name in head
    assert client.get(tab(world.asked, "nowhere")).status_code == 404
    assert as_role("stranger").get(tab(world.asked, "nowhere")).status_code == 404


def test_people_says_who_holds_what_and_who_could_decide(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    page = words_of(client.get(tab(world.asked, "people")))
    for person in (world.people.scientist, world.people.owner, world.people.officer):
        assert str(person) in page
    assert str(world.people.stranger) not in page
    slot = words_of(client.get(reverse("governance:use_case_deciders", args=[world.asked.number]), headers=HTMX))
    assert world.use_case_request.public_id in slot
    assert str(world.people.owner) in slot
    assert str(world.people.scientist) not in slot, "who asked for it does not decide"


def test_monitoring_shows_what_production_reports(world: World, as_role: AsRole) -> None:
    case = use_case(world.people, world.project)
    running = version(group(world.project, world.people, case), 1)
    path = reverse("governance:use_case_monitoring", args=[case.number])
    assert "Nothing of it runs in production" in words_of(as_role("auditor").get(path))
    at_stage(world.people, running, Stage.PRODUCTION, Status.APPROVED)
    record = StageRecord.objects.get(version=running, stage=Stage.PRODUCTION)
    assert "no monitoring report yet" in words_of(as_role("auditor").get(path))
    metrics.report(
        actor=world.people.engineer.actor, record_id=record.pk, kind=MetricKind.MONITORING, metrics={"auc": 0.71}
    )
    page = words_of(as_role("auditor").get(path))
    assert running.name in page
    assert "0.71" in page


def test_documents_of_two_writers_are_shown_beside_each_other(world: World, as_role: AsRole) -> None:
    case, client = world.draft, as_role("data_scientist")
    path = reverse("registry:use_case_documents", args=[case.number])
    opened = re.search(r'name="revision" value="([^"]*)"', text_of(client.get(path)))
    assert opened is not None
    use_cases.write_documents(
        actor=world.people.owner.actor,
        use_case_id=case.pk,
        texts={"human_oversight": "Theirs.", "risk_assessment": "Theirs too."},  # type: ignore[dict-item]  # words
    )
    mine = {"human_oversight": "Mine.", "monitoring_evaluation": "Weekly.", "revision": opened[1]}
    told = client.post(path, mine)
    assert told.status_code == 412
    page = text_of(told)
    assert "<del>Theirs.</del>" in page
    assert "<ins>Mine.</ins>" in page
    assert ">Theirs too.</textarea>" in re.sub(r">\s+Theirs", ">Theirs", page), "what I left alone is as they wrote it"
    assert not UseCaseDocument.objects.filter(use_case=case, kind="monitoring_evaluation").exists()
    again = re.search(r'name="revision" value="([^"]*)"', page)
    assert again is not None
    sent = {**mine, "risk_assessment": "Theirs too.", "revision": again[1]}
    assert client.post(path, sent)["Location"] == f"{tab(case, 'evidence')}#documents"
    texts = dict(UseCaseDocument.objects.filter(use_case=case).values_list("kind", "text"))
    assert texts["human_oversight"] == "Mine."
    assert texts["risk_assessment"] == "Theirs too."


def test_reviews_are_listed_by_what_is_due_and_recorded(world: World, as_role: AsRole) -> None:
    case, today = world.draft, timezone.localdate()
    UseCase.objects.filter(pk=case.pk).update(next_review_on=today - timedelta(days=2))
    officer = as_role("governance_officer")
    listed = officer.get("/reviews/?review=overdue")
    assert case.name in words_of(listed)
    assert world.asked.name not in words_of(listed)
    record = reverse("governance:use_case_review", args=[case.number])
    assert f'href="{record}"' in text_of(listed)
    assert f'href="{record}"' not in text_of(as_role("data_scientist").get("/reviews/"))
    values = {"reviewed_on": str(today), "next_review_on": str(today), "revision": case.revision}
    refused = officer.post(record, {**values, "note": "Looked at it."})
    assert refused.status_code == 422
    assert "Give a day after today" in words_of(refused)
    assert "Looked at it." in words_of(refused)
    values["next_review_on"] = str(today + timedelta(days=200))
    stale = officer.post(record, {**values, "note": "Looked at it.", "revision": case.revision + 7})
    assert stale.status_code == 412
    assert "Looked at it." in words_of(stale)
    assert officer.post(record, {**values, "note": "Looked at it."}).status_code == 302
    assert UseCaseReview.objects.get(use_case=case).reviewer == world.people.officer
    assert "Looked at it." in words_of(officer.get(record))


def test_an_unclaimed_group_is_prominent_and_claimed_with_what_its_cards_say(world: World, as_role: AsRole) -> None:
    found = group(None, name="nobodys")
    version(found, 1, card_content=card(world.asked.public_id))
    engineer, path = as_role("ml_engineer"), reverse("registry:group_edit", args=[found.pk])
    assert "Waiting to be claimed" in words_of(engineer.get("/model-groups/"))
    assert "Waiting to be claimed" not in words_of(engineer.get("/model-groups/?claimed=yes"))
    assert "Waiting to be claimed" not in words_of(as_role("auditor").get("/model-groups/"))
    assert "Its 1 version can be read once" in words_of(engineer.get(reverse("registry:group", args=[found.pk])))
    page = engineer.get(path)
    assert f"name {world.asked}" in words_of(page).replace("  ", " ")
    assert f'<option value="{world.project.pk}" selected' in text_of(page)
    refused = engineer.post(path, {"project": "", "owner": "", "revision": found.revision})
    assert refused.status_code == 422
    assert "Choose the project that the group belongs to." in words_of(refused)
    strange = {"project": world.project.pk, "owner": world.people.stranger.pk, "revision": found.revision}
    assert "This person holds no role on the project." in words_of(engineer.post(path, strange))
    assert as_role("data_scientist").get(path).status_code == 404
    shown = engineer.post(path, {"project": world.project.pk, "act": "show", "revision": "1"}, headers=HTMX)
    assert "<html" not in text_of(shown)
    assert str(world.people.owner) in words_of(shown)
    claim = {"project": world.project.pk, "owner": world.people.owner.pk, "use_cases": [world.asked.pk]}
    assert engineer.post(path, {**claim, "revision": found.revision + 3}).status_code == 412
    assert engineer.post(path, {**claim, "revision": found.revision}).status_code == 302
    assert ModelGroup.objects.get(pk=found.pk).project == world.project


def test_a_group_says_how_its_metrics_went_and_who_sees_it(world: World, as_role: AsRole) -> None:
    models = group(world.project, world.people, world.asked)
    for number, auc in ((1, 0.74), (2, None), (3, 0.78)):
        made = version(models, number)
        if auc is not None:
            record = StageRecord.objects.get(version=made)
            report = {"record_id": record.pk, "kind": MetricKind.VALIDATION, "metrics": {"auc": auc}}
            metrics.report(actor=world.people.engineer.actor, **report)  # type: ignore[arg-type]  # any report
    client = as_role("data_scientist")
    said = words_of(client.get(reverse("governance:group_metrics", args=[models.pk]), headers=HTMX))
    assert "auc 0.74 not reported 0.78 +0.04 better" in said
    assert str(world.people.owner) in words_of(client.get(reverse("registry:group", args=[models.pk])))
