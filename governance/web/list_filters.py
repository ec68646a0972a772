"""The filters of governance's smaller lists; the address carries them."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.access import visible
from portal.core.vocabulary import Role
from registry.choices import DeclarationState
from registry.models import ApiToken, AwsAccount, DeclaredShare, ModelGroup
from registry.selectors.operations import accounts
from registry.web.filters import choice, search

from ..choices import (
    MODEL_STAGE_CHOICES,
    AuditCheckScope,
    AuditCheckState,
    CallbackOutcome,
    ChannelKind,
    PolicyState,
    SigningAlgorithm,
    SigningKeyState,
)
from ..models import (
    AuditAnchor,
    AuditCheck,
    Delegation,
    DeploymentChannel,
    Override,
    PolicyVersion,
    SigningKey,
    WaitingCallback,
)
from ..querysets import DelegationQuerySet, OverrideQuerySet

_STANDING = [("in_force", "In force"), ("over", "Over"), ("revoked", "Revoked")]


def number_in(value: str, prefix: str) -> int | None:
    """Return the number of a public id, or of its digits alone; None for anything else."""
    digits = value.strip().upper().removeprefix(prefix)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


def day_from(field: str, label: str = "From") -> filters.DateFilter:
    """Return a filter over the first day of a span, in UTC."""
    return filters.DateFilter(field_name=field, lookup_expr="date__gte", label=label, widget=_day())


def day_until(field: str, label: str = "To") -> filters.DateFilter:
    """Return a filter over the last day of a span, in UTC."""
    return filters.DateFilter(field_name=field, lookup_expr="date__lte", label=label, widget=_day())


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _accounts(request: Any) -> QuerySet[AwsAccount]:
    return accounts(request.user.actor)


def _stage() -> filters.ChoiceFilter:
    return filters.ChoiceFilter(choices=MODEL_STAGE_CHOICES, label="Stage", empty_label="Any stage")


class OverrideFilter(filters.FilterSet):
    q = search("Rule, reason, who, BG-000001")
    standing = filters.ChoiceFilter(method="by_standing", label="Standing", empty_label="Either way", choices=_STANDING)
    stage = _stage()

    class Meta:
        model = Override
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = (
            Q(check_label__icontains=value)
            | Q(reason__icontains=value)
            | Q(granted_by_name__icontains=value)
            | Q(use_case__name__icontains=value)
            | Q(version__group__name__icontains=value)
        )
        number = number_in(value, "BG-")
        return rows.filter(condition if number is None else condition | Q(pk=number))

    def by_standing(self, rows: OverrideQuerySet, name: str, value: str) -> QuerySet[Any]:
        if value == "in_force":
            return rows.in_force()
        if value == "revoked":
            return rows.exclude(revoked_at=None)
        return rows.filter(revoked_at=None, expires_at__lte=timezone.now())


class DelegationFilter(filters.FilterSet):
    q = search("Person, reason")
    role = choice(Role, "As", "role", "Any role")
    standing = filters.ChoiceFilter(
        method="by_standing",
        label="Standing",
        empty_label="Any time",
        choices=[*_STANDING, ("to_come", "To come")],
    )

    class Meta:
        model = Delegation
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        people = Q(reason__icontains=value)
        for person in ("delegate", "delegator"):
            people |= Q(**{f"{person}__display_name__icontains": value}) | Q(
                **{f"{person}__username__icontains": value}
            )
        return rows.filter(people)

    def by_standing(self, rows: DelegationQuerySet, name: str, value: str) -> QuerySet[Any]:
        today = timezone.now().date()
        if value == "in_force":
            return rows.in_force(today)
        if value == "revoked":
            return rows.exclude(revoked_at=None)
        left = rows.filter(revoked_at=None)
        return left.filter(ends_on__lt=today) if value == "over" else left.filter(starts_on__gt=today)


class ChannelFilter(filters.FilterSet):
    q = search("Account, bus, pipeline, URL")
    kind = choice(ChannelKind, "Orders go as", "kind", "Any way")
    stage = _stage()
    account = filters.ModelChoiceFilter(queryset=_accounts, label="Account", empty_label="Any account")
    enabled = filters.ChoiceFilter(
        field_name="is_enabled", label="Enabled", empty_label="Either way", choices=[("True", "On"), ("False", "Off")]
    )

    class Meta:
        model = DeploymentChannel
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(account__alias__icontains=value)
            | Q(account__account_id__icontains=value)
            | Q(bus__icontains=value)
            | Q(pipeline__icontains=value)
            | Q(queue_url__icontains=value)
            | Q(url__icontains=value)
        )


class CallbackFilter(filters.FilterSet):
    q = search("Version, execution")
    outcome = choice(CallbackOutcome, "Answer", "outcome", "Any answer")
    stage = _stage()
    since = day_from("received_at")
    until = day_until("received_at")

    class Meta:
        model = WaitingCallback
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(model_package_arn__icontains=value) | Q(execution_arn__icontains=value))


class PolicyFilter(filters.FilterSet):
    q = search("Note, number, who")
    state = choice(PolicyState, "State", "state", "Any state")

    class Meta:
        model = PolicyVersion
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(note__icontains=value) | Q(created_by__icontains=value) | Q(published_by__icontains=value)
        number = number_in(value, "POLICY ")
        return rows.filter(condition if number is None or number > 2**31 - 1 else condition | Q(number=number))


class SigningKeyFilter(filters.FilterSet):
    q = search("Key id, reason")
    state = choice(SigningKeyState, "State", "state", "Any state")
    algorithm = choice(SigningAlgorithm, "Algorithm", "algorithm", "Any algorithm")

    class Meta:
        model = SigningKey
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(kid__icontains=value) | Q(revocation_reason__icontains=value))


class CheckFilter(filters.FilterSet):
    q = search("What was wrong")
    scope = choice(AuditCheckScope, "What", "scope", "Either")
    state = choice(AuditCheckState, "Found", "state", "Anything")
    since = day_from("requested_at")
    until = day_until("requested_at")

    class Meta:
        model = AuditCheck
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(problem__icontains=value)


class AnchorFilter(filters.FilterSet):
    q = search("Number, digest")
    entry = filters.CharFilter(method="by_entry", label="Covers entry")
    since = day_from("signed_at")
    until = day_until("signed_at")

    class Meta:
        model = AuditAnchor
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(digest__istartswith=value.strip())
        number = number_in(value, "ANCHOR ")
        return rows.filter(condition if number is None else condition | Q(number=number))

    def by_entry(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        number = number_in(value, "#")
        return rows.none() if number is None else rows.filter(first_sequence__lte=number, last_sequence__gte=number)


class ShareFilter(filters.FilterSet):
    q = search("Name, group, account, SHR-0001")
    state = choice(DeclarationState, "State", "state", "Any state")

    class Meta:
        model = DeclaredShare
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = (
            Q(name__icontains=value)
            | Q(groups__in=visible(ModelGroup, self.request.user.actor).filter(name__icontains=value))
            | Q(accounts__alias__icontains=value)
            | Q(accounts__account_id__startswith=value)
        )
        number = number_in(value, "SHR-")
        if number is not None and number < 2**31:
            condition |= Q(number=number)
        # A share is found once, however many of its groups and accounts match.
        return rows.filter(pk__in=rows.order_by().filter(condition).values("pk"))


class TokenFilter(filters.FilterSet):
    q = search("Name")

    class Meta:
        model = ApiToken
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(token_key__startswith=value))
