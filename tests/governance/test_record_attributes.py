"""Notes on stage records: whose they are to write, that they decide nothing, and that nobody's change is lost."""

from __future__ import annotations

from typing import Any

import pytest

from governance.models import AuditEvent, StageRecord
from governance.selectors.as_of import past_rows, stage_table_as_of
from governance.selectors.binding import digest_of
from governance.selectors.stage_table import rows, stage_table
from governance.services import metrics, record_attributes, retirement
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.vocabulary import Stage
from registry.choices import AttributeType, ObjectKind
from registry.models import ModelVersion, UseCase
from registry.services import custom_attributes
from registry.services.custom_attributes import AttributeDefinition
from tests.factories import Cast, group, use_case, version
from tests.refusals import refused, sql
from tests.scene import fingerprint, settle

from .conftest import Place

NOTE = AttributeDefinition(kind=ObjectKind.STAGE_RECORD, key="note", label="Note", type=AttributeType.TEXT)


@pytest.fixture
def record(place: Place, people: Cast) -> StageRecord:
    """A fresh version's record, with an attribute to fill in."""
    custom_attributes.define(actor=people.admin.actor, definition=NOTE)
    return StageRecord.objects.get(version=version(group(place.project, people, use_case(people, place.project))))


def note(somebody: Any, record: StageRecord, revision: int | None = None, **values: Any) -> StageRecord:
    return record_attributes.set_attributes(
        actor=somebody.actor,
        record_id=record.pk,
        values=values,
        revision=record.revision if revision is None else revision,
    )


def test_the_people_of_the_project_write_and_others_do_not(record: StageRecord, people: Cast) -> None:
    for number, somebody in enumerate((people.scientist, people.owner, people.officer)):
        note(somebody, record, revision=record.revision + number, note=somebody.username)
    before = fingerprint()
    for somebody in (people.engineer, people.admin, people.auditor):
        with pytest.raises(Forbidden):
            note(somebody, record, note="x")
    with pytest.raises(NotFound):
        note(people.stranger, record, note="x")
    with pytest.raises(NotFound):
        record_attributes.set_attributes(actor=people.owner.actor, record_id=10**30, values={}, revision=1)
    assert fingerprint() == before


def test_a_note_is_in_the_row_in_the_trail_and_in_the_past(record: StageRecord, people: Cast) -> None:
    changed = note(people.scientist, record, note="first")
    assert (changed.attributes, changed.revision) == ({"note": "first"}, record.revision + 1)
    assert changed.audit_user == people.scientist.username
    assert changed.audit_at > record.audit_at
    settle()
    (row,) = rows(stage_table(people.auditor.actor).filter(pk=record.pk))
    assert (row["attributes"], row["revision"]) == ({"note": "first"}, changed.revision)
    entry = AuditEvent.objects.filter(chain=f"governance_stagerecord:{record.pk}").latest("sequence")
    assert entry.actor == people.scientist.actor.label
    assert entry.changes["attributes"] == [{}, {"note": "first"}]
    (past,) = past_rows(stage_table_as_of(people.auditor.actor, entry.at).filter(pk=record.pk))
    assert past["attributes"] == {"note": "first"}
    # What changes nothing moves nothing: neither the revision nor who was there last.
    assert note(people.owner, changed, note=" first ").revision == changed.revision
    assert note(people.owner, changed, note=None).attributes == {}


def test_a_note_made_on_an_old_state_is_refused(record: StageRecord, people: Cast) -> None:
    note(people.scientist, record, note="first")
    with pytest.raises(StaleEdit):
        note(people.owner, record, note="second")
    with pytest.raises(InvalidInput):
        note(people.owner, record, revision=record.revision + 1, other="x")
    assert StageRecord.objects.get(pk=record.pk).attributes == {"note": "first"}


def test_a_retired_version_takes_no_notes(record: StageRecord, people: Cast) -> None:
    retirement.retire(
        actor=people.officer.actor, subject_type=ModelVersion, subject_id=record.version_id, reason="Replaced."
    )
    with pytest.raises(WrongState):
        note(people.scientist, StageRecord.objects.get(pk=record.pk), note="late")


def test_notes_are_no_part_of_what_is_decided(record: StageRecord, people: Cast, place: Place) -> None:
    for kind in (ObjectKind.USE_CASE, ObjectKind.MODEL_GROUP):
        custom_attributes.define(
            actor=people.admin.actor,
            definition=AttributeDefinition(kind=kind, key="note", label="Note", type=AttributeType.TEXT),
        )
    case = UseCase.objects.get(project=place.project)
    of_version = digest_of(record.version, Stage.DEVELOPMENT)
    of_use_case = digest_of(case, Stage.POC)
    note(people.scientist, record, note="x")
    sql('UPDATE registry_usecase SET attributes = \'{"note": "x"}\' WHERE id = %s', case.pk)
    sql('UPDATE registry_modelgroup SET attributes = \'{"note": "x"}\' WHERE id = %s', record.version.group_id)
    assert digest_of(ModelVersion.objects.get(pk=record.version_id), Stage.DEVELOPMENT) == of_version
    assert digest_of(UseCase.objects.get(pk=case.pk), Stage.POC) == of_use_case


def test_the_guards_of_the_record_stay_where_they_are(record: StageRecord, people: Cast) -> None:
    """A note beside a move is still an unannounced move, and a move keeps the notes."""
    note(people.scientist, record, note="x")
    with refused("lifecycle_guard"):
        sql("UPDATE governance_stagerecord SET attributes = '{}', status = 'approved' WHERE id = %s", record.pk)
    with refused("record_pinned"):
        sql("UPDATE governance_stagerecord SET attributes = '{}', stage = 'qa' WHERE id = %s", record.pk)
    with refused("attributes_fit"):
        sql("UPDATE governance_stagerecord SET attributes = NULL WHERE id = %s", record.pk)
    metrics.report(
        actor=people.engineer.actor, record_id=record.pk, kind=metrics.MetricKind.VALIDATION, metrics={"auc": 0.8}
    )
    retirement.retire(
        actor=people.officer.actor, subject_type=ModelVersion, subject_id=record.version_id, reason="Replaced."
    )
    assert StageRecord.objects.get(pk=record.pk).attributes == {"note": "x"}
