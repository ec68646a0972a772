"""Two ML admins in the same instant: one policy comes into force, and none undoes another unseen."""

from __future__ import annotations

from functools import partial

import pytest

from governance.models import PolicyVersion
from governance.selectors import policy as policies
from governance.services import policies as services
from portal.core.errors import StaleEdit
from portal.core.vocabulary import Role
from registry.models import User
from tests.factories import person

from .policies.making import cell
from .test_concurrency import at_once


@pytest.fixture
def admins(committed_db: str) -> tuple[User, User]:
    return person(Role.ML_ADMIN), person(Role.ML_ADMIN)


def test_one_draft_is_published_once(admins: tuple[User, User]) -> None:
    draft = services.draft(actor=admins[0].actor)
    results = at_once(
        *(partial(services.publish, actor=one.actor, policy_id=draft.pk, revision=draft.revision) for one in admins)
    )
    assert sorted(type(result).__name__ for result in results) == ["PolicyVersion", "Published"]


def test_of_two_drafts_one_is_published_and_the_other_is_overtaken(admins: tuple[User, User]) -> None:
    drafts = [services.draft(actor=one.actor) for one in admins]
    results = at_once(
        *(
            partial(services.publish, actor=one.actor, policy_id=draft.pk, revision=draft.revision)
            for one, draft in zip(admins, drafts, strict=True)
        )
    )
    assert sorted(type(result).__name__ for result in results) == ["Overtaken", "PolicyVersion"]
    assert PolicyVersion.objects.published().count() == 3


def test_a_draft_made_while_another_is_published_follows_it_or_is_overtaken(admins: tuple[User, User]) -> None:
    first = services.draft(actor=admins[0].actor)
    published, made = at_once(
        partial(services.publish, actor=admins[0].actor, policy_id=first.pk, revision=first.revision),
        partial(services.draft, actor=admins[1].actor),
    )
    assert isinstance(published, PolicyVersion)
    assert isinstance(made, PolicyVersion)
    assert made.follows in (2, 3)
    if made.follows == 2:
        with pytest.raises(services.Overtaken):
            services.publish(actor=admins[1].actor, policy_id=made.pk, revision=made.revision)
    else:
        services.publish(actor=admins[1].actor, policy_id=made.pk, revision=made.revision)
        assert policies.in_force() == made


def test_two_drafts_have_two_numbers(admins: tuple[User, User]) -> None:
    results = at_once(*(partial(services.draft, actor=one.actor) for one in admins))
    assert sorted(result.number for result in results if isinstance(result, PolicyVersion)) == [3, 4]


def test_two_edits_of_one_revision_are_one_edit(admins: tuple[User, User]) -> None:
    draft = services.draft(actor=admins[0].actor)
    results = at_once(
        *(
            partial(services.set_rule, actor=one.actor, policy_id=draft.pk, revision=1, rule=cell(days_until_due=day))
            for day, one in enumerate(admins, start=1)
        )
    )
    assert sorted(type(result).__name__ for result in results) == ["PolicyVersion", StaleEdit.__name__]
    draft.refresh_from_db()
    assert draft.revision == 2
