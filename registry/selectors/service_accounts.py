"""Service accounts as people look at them, and who may not decide on what one of them did."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery

from portal.core.actors import Actor

from ..models import ApiToken, ProjectUserObjectPermission, ServiceAccount, ServiceKeeper, User
from .people import with_roles_everywhere

_OPEN = ("permission", "content_object")


def accounts(actor: Actor) -> QuerySet[ServiceAccount]:
    """Return the accounts an actor may see, with their users, their roles and `token_count`."""
    granted = ProjectUserObjectPermission.objects.filter(permission__codename__startswith="role_")
    users = with_roles_everywhere(User.objects.all()).prefetch_related(
        Prefetch("projectuserobjectpermission_set", granted.select_related(*_OPEN).order_by("content_object__key"))
    )
    held = ApiToken.objects.filter(user=OuterRef("user")).order_by().values("user")
    return (
        ServiceAccount.objects.visible_to(actor)
        .select_related("responsible")
        .prefetch_related(Prefetch("user", users))
        .annotate(token_count=Subquery(held.values_list(Count("pk"))))
    )


def keepers_of(accounts: Iterable[int]) -> QuerySet[ServiceKeeper, int]:
    """Return the keys of the people who keep or kept one of these users; nobody keeps a person."""
    return ServiceKeeper.objects.filter(account_id__in=set(accounts)).values_list("person_id", flat=True)


def answerable_for(services: Iterable[User]) -> QuerySet[User]:
    """Return the active people who answer now for these service users."""
    answering = ServiceAccount.objects.filter(user__in=list(services)).values("responsible")
    return User.objects.filter(pk__in=answering, is_active=True)


def possible_keepers() -> QuerySet[User]:
    """Return the people who can answer for an account: all who can sign in, by name."""
    return User.objects.people().filter(is_active=True).order_by("display_name", "username")


def keepers(account: ServiceAccount) -> QuerySet[ServiceKeeper]:
    """Return who keeps or kept an account, in the order in which they came to."""
    return ServiceKeeper.objects.filter(account=account.user_id).select_related("person").order_by("since", "pk")
