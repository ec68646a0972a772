"""One project with its people and a version, shared by the tests of a module; who is told what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from governance.models import ApprovalRequest, Notification
from governance.services import approvals, telling
from portal.core.vocabulary import NotificationKind
from registry.models import ModelGroup, ModelVersion, Project, User
from tests.factories import Cast, cast, group, project, version
from tests.scene import undone


@dataclass(frozen=True)
class Place:
    """A project, its people, and what they work on."""

    project: Project
    people: Cast
    group: ModelGroup
    version: ModelVersion

    def submit(self) -> ApprovalRequest:
        """Ask for the version's approval, which waits for the model owner."""
        return approvals.submit(
            actor=self.people.scientist.actor, subject_type=ModelVersion, subject_id=self.version.pk, note="Please."
        )


@pytest.fixture(scope="module")
def shared_place(django_db_setup: None, django_db_blocker: Any) -> Iterator[Place]:
    with django_db_blocker.unblock(), undone():
        here, there = project(), project()
        people = cast(here, there)
        models = group(here, people)
        made = version(models, card_content="{not a card")
        User.objects.update(email="somebody@example.org")
        telling.tell_due()
        Notification.objects.all().delete()
        yield Place(here, people, models, made)


@pytest.fixture
def place(shared_place: Place, db: None) -> Place:
    """The project and its people; what the test writes is undone."""
    return shared_place


def told(kind: NotificationKind | None = None, now: datetime | None = None) -> dict[str, str]:
    """Tell people what happened; return by username the title of what each was told of that kind, newest last."""
    telling.tell_due(now=now)
    rows = Notification.objects.order_by("pk").select_related("person")
    return {row.person.username: row.title for row in (rows.filter(kind=kind) if kind else rows)}
