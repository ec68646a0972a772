"""Claiming a group settles what was found about it, without waiting for the next sync."""

from __future__ import annotations

import pytest

from governance.models import Finding
from governance.services import sync
from registry.models import ModelGroup
from registry.services import groups
from tests import factories
from tests.factories.records import card

pytestmark = pytest.mark.django_db


def test_claiming_a_group_clears_what_was_found_about_it_and_its_versions() -> None:
    project, elsewhere = factories.project(), factories.project()
    people = factories.cast(project, elsewhere)
    use_case = factories.use_case(people, project)
    group = factories.group(None)
    factories.version(group, card_content=card(use_case.public_id))
    assert set(Finding.objects.standing().values_list("kind", flat=True)) == {"group_unlinked", "use_case_unknown"}
    groups.edit(
        actor=people.engineer.actor,
        group_id=group.pk,
        revision=ModelGroup.objects.get(pk=group.pk).revision,
        project=project,
        owner=None,
        use_cases=[],
    )
    sync.reconcile_group(group_id=group.pk)
    assert not Finding.objects.standing().exists()


def test_a_group_that_is_gone_is_no_error() -> None:
    sync.reconcile_group(group_id=10**9)
