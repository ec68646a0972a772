"""What a scope leaves of grants, over every act, role and place: nothing anywhere else, and nothing more anywhere."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest

from portal.core.actors import Actor, Grants
from portal.core.permissions import ROLES, SERVICE_ROLES, Act, may, may_anywhere
from portal.core.vocabulary import Role
from registry.access import grants_from, role_codename
from registry.querysets import in_projects, seen_use_cases, seen_versions

PLACES = (1, 2, 3)
SCOPES = tuple(chain.from_iterable(combinations(PLACES, size) for size in (1, 2, 3)))
# Where a role is held: everywhere (None), on one project, on two.
HELD: tuple[tuple[int | None, ...], ...] = ((None,), (1,), (1, 2), (None, 2))


def actor(grants: Grants) -> Actor:
    return Actor(name="somebody", user_id=7, load_grants=lambda: grants)


def grants_of(role: Role, places: tuple[int | None, ...]) -> Grants:
    return grants_from(
        [
            *((role_codename(role), place) for place in places),
            ("view_usecase", 41),
            ("view_modelgroup", 42),
            ("keeps", 43),
        ]
    )


@pytest.mark.parametrize("role", Role)
def test_a_scoped_token_may_what_its_holder_may_there_and_nothing_elsewhere(role: Role) -> None:
    for places, scope in product(HELD, SCOPES):
        whole, held = grants_of(role, places), grants_of(role, places).within(scope)
        free, bound = actor(whole), actor(held)
        for act in Act:
            for place in PLACES:
                assert may(bound, act, place) is (place in scope and may(free, act, place)), (places, scope, act, place)
            assert not may(bound, act), "no act that needs a role everywhere"
            assert may_anywhere(bound, act) is any(may(free, act, place) for place in scope)
        assert not held.everywhere
        assert not held.use_cases | held.groups
        assert held.accounts == whole.accounts, "what bars him from deciding stays"
        for condition in (in_projects(bound, "p"), seen_use_cases(bound), seen_versions(bound)):
            assert condition is not None
            ((_, seen),) = condition.children
            assert set(seen) <= set(scope)


def test_a_scope_of_no_project_leaves_nothing() -> None:
    assert grants_of(Role.ML_ADMIN, (None,)).within(()) == Grants(accounts=frozenset({43}))


@pytest.mark.parametrize("role", Role)
def test_a_service_account_holds_no_role_that_decides_whatever_its_rows_say(role: Role) -> None:
    for places in HELD:
        held = grants_from([(role_codename(role), place) for place in places], is_service=True)
        assert held.anywhere == ({role} if role in SERVICE_ROLES else frozenset())
    deciding = (Act.DECIDE, Act.DELEGATE, Act.BREAK_GLASS, Act.CLASSIFY_USE_CASE, Act.REVIEW_USE_CASE, Act.RETIRE)
    for act in (*deciding, Act.ROLLBACK, Act.HANDLE_FINDINGS, Act.MANAGE_ACCESS, Act.PUBLISH_POLICY):
        assert not ROLES[act] & SERVICE_ROLES, act
