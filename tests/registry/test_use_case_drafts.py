"""Drafts of use cases: kept for their author alone, saved from several windows, and gone once they are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from governance.models import StageRecord, UseCaseStageRecord
from governance.services import use_cases as governed
from governance.services.use_cases import AiActAnswers, NewUseCase
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.vocabulary import RiskClass, Role, Stage
from registry.choices import AttributeType, DocumentKind, DraftStep, ObjectKind
from registry.models import ModelGroup, Project, UseCase, UseCaseDraft
from registry.selectors import use_case_drafts as selectors
from registry.services import custom_attributes, people, use_case_drafts, use_cases
from registry.services.custom_attributes import AttributeDefinition
from registry.services.use_cases import UseCaseText
from tests.factories import Cast, at_stage, cast, group, project, version
from tests.factories.people import SYSTEM

pytestmark = pytest.mark.django_db

HERE, THERE = "aaaaaaaa", "bbbbbbbb"
TEXT = UseCaseText(name="Letters", intended_purpose="Draft letters.")


@pytest.fixture
def place() -> Project:
    return project("drafting")


@pytest.fixture
def who(place: Project) -> Cast:
    return cast(place, project("elsewhere"))


def typed(**values: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}


def begin(who: Cast, window: str = HERE, **values: str) -> UseCaseDraft:
    return use_case_drafts.start(actor=who.scientist.actor, window=window, typed=typed(**values or {"name": "Letters"}))


def save(who: Cast, draft: UseCaseDraft, revision: int, window: str, **values: Any) -> UseCaseDraft:
    leaving = values.pop("leaving", False)
    return use_case_drafts.save(
        actor=who.scientist.actor,
        draft_id=draft.pk,
        step=DraftStep.PURPOSE,
        revision=revision,
        window=window,
        leaving=leaving,
        typed=typed(**values),
    )


def register(who: Cast, draft: UseCaseDraft, place: Project, **more: Any) -> UseCase:
    actor = more.pop("actor", who.scientist.actor)
    new = NewUseCase(project_id=place.pk, text=TEXT, **more)
    return governed.register_draft(actor=actor, draft_id=draft.pk, revision=draft.revision, new=new)


def test_one_page_makes_one_draft_and_goes_on_with_it(who: Cast) -> None:
    first = begin(who, name="L")
    again = begin(who, name="Letters")
    assert (again.pk, again.name, again.step_revision("purpose")) == (first.pk, "Letters", 2)
    assert begin(who, THERE).pk != first.pk
    assert [draft.pk for draft in selectors.mine(who.scientist.actor)][-1] == first.pk


def test_nobody_else_sees_a_draft_and_the_trail_holds_nothing_of_it(who: Cast) -> None:
    draft = begin(who)
    for person in (who.owner, who.officer, who.admin, who.auditor, who.stranger):
        assert not selectors.mine(person.actor)
        acts: tuple[Callable[[Actor], object], ...] = (
            lambda actor: selectors.draft(actor, draft.pk),
            lambda actor: use_case_drafts.discard(actor=actor, draft_id=draft.pk),
            lambda actor: use_case_drafts.save(
                actor=actor, draft_id=draft.pk, step=DraftStep.PURPOSE, revision=1, typed={}
            ),
        )
        for act in acts:
            with pytest.raises(NotFound):
                act(person.actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM governance_auditevent WHERE \"table\" = 'registry_usecasedraft'")
        assert cursor.fetchone() == (0,)


def test_a_window_overwrites_what_it_saved_itself_and_nothing_of_another(who: Cast) -> None:
    draft = begin(who)
    save(who, draft, 1, HERE, name="Letters 2")
    # The answer to the last save may have been lost: the same window goes on with what it knows.
    save(who, draft, 1, HERE, name="Letters 3")
    with pytest.raises(StaleEdit):
        save(who, draft, 1, THERE, name="Theirs")
    assert selectors.draft(who.scientist.actor, draft.pk).name == "Letters 3"
    save(who, draft, 3, THERE, name="Theirs")
    with pytest.raises(StaleEdit):
        save(who, draft, 3, HERE, name="Late")


def test_what_a_page_still_sends_after_it_was_left_is_stale(who: Cast) -> None:
    draft = begin(who)
    save(who, draft, 1, HERE, leaving=True, name="Last word")
    with pytest.raises(StaleEdit):
        save(who, draft, 1, HERE, name="Last wor")
    # A second click sends the same again and is no conflict.
    assert save(who, draft, 1, HERE, leaving=True, name="Last word").name == "Last word"


def test_steps_are_saved_apart(who: Cast) -> None:
    draft = begin(who)
    use_case_drafts.save(
        actor=who.scientist.actor,
        draft_id=draft.pk,
        step=DraftStep.PEOPLE,
        revision=0,
        window=THERE,
        typed=typed(description="Scope."),
    )
    saved = save(who, draft, 1, HERE, name="Still mine")
    assert saved.values("people") == {"description": ["Scope."]}
    assert saved.revision == 3


@pytest.mark.parametrize(
    ("values", "kept"),
    [("a\0b", "a\ufffdb"), ("half \ud800", "half \ufffd"), ("x" * 400_000, None)],
)
def test_what_cannot_be_kept_is_refused_or_marked(who: Cast, values: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(InvalidInput):
            begin(who, name=values)
        assert not UseCaseDraft.objects.exists()
    else:
        assert begin(who, name=values).values("purpose")["name"] == [kept]


def test_who_may_begin_and_how_often(who: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for person in (who.officer, who.engineer, who.auditor, who.admin):
        with pytest.raises(Forbidden):
            use_case_drafts.start(actor=person.actor, window=HERE, typed={})
    with pytest.raises(Forbidden):
        use_case_drafts.start(actor=SYSTEM, window=HERE, typed={})
    with pytest.raises(InvalidInput):
        begin(who, "not a mark")
    monkeypatch.setattr(use_case_drafts, "MOST_DRAFTS", 1)
    begin(who)
    with pytest.raises(WrongState):
        begin(who, THERE)


def test_registering_takes_all_of_a_draft_or_nothing(who: Cast, place: Project) -> None:
    models = group(place, who, name="letters")
    draft = begin(who)
    answers = AiActAnswers({"ai_system": "no"}, "2026-1744", reason="Rules only.")
    with pytest.raises(InvalidInput):
        register(who, draft, place, ai_act=AiActAnswers({"ai_system": "perhaps"}, "2026-1744"))
    with pytest.raises(InvalidInput):
        register(who, draft, place, group_ids=[10**9])
    assert not UseCase.objects.exists()
    made = register(
        who,
        draft,
        place,
        group_ids=[models.pk],
        documents={DocumentKind.OVERSIGHT: "A clerk.", DocumentKind.MONITORING: " "},
        ai_act=answers,
    )
    assert (made.stage, made.registered_by, [one.pk for one in made.groups.all()]) == (
        Stage.POC,
        who.scientist,
        [models.pk],
    )
    assert [(row.kind, row.text) for row in made.documents.all()] == [("human_oversight", "A clerk.")]
    assert made.classifications.get().proposed_class == RiskClass.MINIMAL
    assert UseCaseStageRecord.objects.filter(use_case=made).count() == 1
    assert ModelGroup.objects.get(pk=models.pk).revision == models.revision + 1
    with pytest.raises(NotFound):
        register(who, draft, place)
    assert UseCase.objects.count() == 1


def test_a_draft_that_went_on_elsewhere_is_not_registered(who: Cast, place: Project) -> None:
    draft = begin(who)
    save(who, draft, 1, HERE, name="Changed")
    with pytest.raises(StaleEdit):
        register(who, draft, place)
    assert UseCaseDraft.objects.filter(pk=draft.pk).exists()


def test_whoever_lost_the_role_meanwhile_is_refused_and_may_still_throw_it_away(who: Cast, place: Project) -> None:
    draft = begin(who)
    people.revoke(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=who.scientist, project=place)
    actor = type(who.scientist).objects.get(pk=who.scientist.pk).actor
    with pytest.raises(NotFound):
        register(who, draft, place, actor=actor)
    use_case_drafts.discard(actor=actor, draft_id=draft.pk)
    assert not UseCaseDraft.objects.exists()


def test_a_required_attribute_is_demanded_at_registration(who: Cast, place: Project) -> None:
    custom_attributes.define(
        actor=who.admin.actor,
        definition=AttributeDefinition(
            kind=ObjectKind.USE_CASE, key="cost_centre", label="Cost centre", type=AttributeType.TEXT, is_required=True
        ),
    )
    for attributes in (None, {}, {"cost_centre": None}):
        with pytest.raises(InvalidInput) as refused:
            governed.register(actor=who.scientist.actor, project_id=place.pk, text=TEXT, attributes=attributes)
        assert refused.value.errors == {"attributes.cost_centre": ["This is required."]}
    made = register(who, begin(who), place, attributes={"cost_centre": "4711"})
    assert made.attributes == {"cost_centre": "4711"}


def test_models_with_approvals_are_linked_by_those_who_may_edit_groups(who: Cast, place: Project) -> None:
    models = group(place, who, governed.register(actor=who.scientist.actor, project_id=place.pk, text=TEXT))
    approved = version(models, 1)
    at_stage(who, approved, Stage.QA)
    draft = begin(who)
    with pytest.raises(InvalidInput) as refused:
        register(who, draft, place, group_ids=[models.pk])
    assert "approved for other use cases" in refused.value.errors["groups"][0]
    own = use_case_drafts.start(actor=who.owner.actor, window=THERE, typed=typed(name="Letters"))
    made = register(who, own, place, group_ids=[models.pk], actor=who.owner.actor)
    assert made.groups.get() == models
    assert StageRecord.objects.filter(version=approved, outdated_at__isnull=False).exists()


def test_documents_are_not_written_over_what_somebody_else_wrote(who: Cast, place: Project) -> None:
    made = register(who, begin(who), place, documents={DocumentKind.OVERSIGHT: "A clerk.\r\nEvery day."})
    read = dict.fromkeys(DocumentKind, "")
    read[DocumentKind.OVERSIGHT] = use_cases.text_mark("A clerk.\nEvery day.")
    write: dict[str, Any] = {"use_case_id": made.pk, "read": read}
    theirs = {DocumentKind.OVERSIGHT: "A committee."}
    use_cases.write_documents(actor=who.owner.actor, texts=theirs, **write)
    # What was left as it was read is not written, whatever became of it since.
    untouched = {DocumentKind.OVERSIGHT: "A clerk.\r\nEvery day.\r\n", DocumentKind.MONITORING: "Weekly."}
    written = use_cases.write_documents(actor=who.scientist.actor, texts=untouched, **write)
    assert [row.kind for row in written] == [DocumentKind.MONITORING]
    with pytest.raises(StaleEdit):
        use_cases.write_documents(actor=who.scientist.actor, texts={DocumentKind.OVERSIGHT: "Two clerks."}, **write)
    assert use_cases.write_documents(actor=who.scientist.actor, texts=theirs, **write) == []
    assert made.documents.get(kind=DocumentKind.OVERSIGHT).text == "A committee."
