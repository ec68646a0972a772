"""Break-glass overrides: which count for a subject, and the register of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors.catalogue import HEAVY

from ..choices import RequestState
from ..models import ApprovalRequest, Override
from ..policies.facts import Check, OverrideFact, Requirements
from ..policies.rules import NoRule
from . import policy as policies
from .gathered import keys_of

Subject = UseCase | ModelVersion


def overrides_of(subject: Subject, stage: Stage) -> tuple[OverrideFact, ...]:
    """Return the overrides of a subject's checks at a stage that are not revoked, as frozen facts."""
    return tuple(
        as_fact(row) for row in Override.objects.about(subject).filter(stage=stage, revoked_at=None).order_by("pk")
    )


def overrides_of_many(subjects: Iterable[Subject]) -> Mapping[tuple[type, int, str], list[OverrideFact]]:
    """Return what `overrides_of` would for several subjects, in one query: by type, key and stage."""
    versions, use_cases = keys_of(subjects)
    found: dict[tuple[type, int, str], list[OverrideFact]] = defaultdict(list)
    rows = Override.objects.filter(Q(version__in=versions) | Q(use_case__in=use_cases), revoked_at=None)
    for row in rows.order_by("pk"):
        kind, key = (UseCase, row.use_case_id) if row.use_case_id is not None else (ModelVersion, row.version_id)
        found[kind, key, row.stage].append(as_fact(row))
    return found


def as_fact(row: Override) -> OverrideFact:
    """Return an override as the policy judges it."""
    return OverrideFact(row.check_key, row.public_id, row.expires_at)


def register(actor: Actor) -> QuerySet[Any]:
    """Return every override the actor may see, newest first."""
    return (
        Override.objects.visible_to(actor)
        .select_related("use_case__project", "version__group__project", "granted_by")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("-pk")
    )


def standing_for(subject: Subject) -> list[Override]:
    """Return the overrides in force about a subject, newest first."""
    return list(Override.objects.about(subject).in_force().select_related("granted_by").order_by("-pk"))


def in_force(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the rows that count now."""
    return rows.filter(revoked_at=None, expires_at__gt=timezone.now())


def over(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the rows that count no more."""
    return rows.exclude(revoked_at=None, expires_at__gt=timezone.now())


def checks_now(subject: Subject, stage: Stage) -> tuple[Check, ...]:
    """Return the checks of a subject at a stage.

    They are those pinned by the request that waits there, or by the one its standing approval rests on, else those of
    the policy in force. Raises NoRule where the policy says nothing.
    """
    requests = ApprovalRequest.objects.about(subject).filter(stage=stage)
    pinned = requests.open().first() or requests.filter(state=RequestState.APPROVED).order_by("-closed_at").first()
    needs = (
        Requirements.from_json(pinned.requirements)
        if pinned is not None
        else policies.requirements_for(subject, policies.in_force(), stage)
    )
    return policies.checks(subject, stage, needs, overrides_of(subject, stage))


def failing(subject: Subject, stage: Stage) -> tuple[Check, ...]:
    """Return the checks that keep a subject from approval at a stage now; none where the policy says nothing."""
    try:
        return tuple(check for check in checks_now(subject, stage) if not check.holds)
    except NoRule:
        return ()
