"""What an ML admin fills in about a webhook. Forms parse; services decide."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from portal.core.vocabulary import DeliveryState, WebhookState
from registry.models import Project
from registry.web.filters import choice, search

from ..models import Webhook, WebhookDelivery
from ..policies.webhook_events import ALL, CATALOGUE, TEST

FAMILIES = {
    "use_case": "Use cases",
    "model_version": "Model versions",
    "approval": "Approvals",
    "override": "Break-glass",
    "finding": "Findings",
    "deployment": "Deployments",
    "share": "Shares",
    "sync": "Syncs",
    "policy": "Policy",
}


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    found = [("Everything", [(ALL, "Every event, also those that come with a later version of the portal")])]
    for family, types in groupby(CATALOGUE, key=lambda each: each.family):
        one_by_one = [(each.name, f"{each.name}: {each.when.replace('`', '')}") for each in types]
        found.append((FAMILIES[family], [(f"{family}.*", f"{family}.*: all of these"), *one_by_one]))
    return found


class WebhookForm(forms.Form):
    """One webhook: who is told, and of what. Which project it is for is said once, when it is set up."""

    name = forms.CharField(max_length=100, help_text="What people call it.")
    url = forms.CharField(
        label="URL",
        max_length=2048,
        help_text="Https, and an address of the public internet. No password in it: the signature says who sends.",
    )
    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(
        queryset=None,
        required=False,
        label="Told of",
        help_text="A webhook of a project is told of what belongs to that project, and of nothing else.",
    )
    events = forms.MultipleChoiceField(choices=_choices, widget=forms.CheckboxSelectMultiple, initial=[ALL])

    def __init__(
        self,
        *args: Any,
        projects: QuerySet[Project],
        everywhere: bool = False,
        webhook: Webhook | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if webhook is not None:
            del self.fields["project"]
            self.initial = {"name": webhook.name, "url": webhook.url, "events": webhook.events}
            self.fields["revision"] = forms.IntegerField(
                widget=forms.HiddenInput, initial=webhook.revision, min_value=1, max_value=2_000_000_000
            )
            return
        project = self.fields["project"]
        assert isinstance(project, forms.ModelChoiceField)
        project.queryset = projects
        project.empty_label = "Every project, and what belongs to none" if everywhere else "Choose a project"
        project.required = not everywhere


class WebhookFilter(filters.FilterSet):
    q = search("Name, URL")
    state = choice(WebhookState, "State", "state", "Either way")

    class Meta:
        model = Webhook
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(url__icontains=value))


class DeliveryFilter(filters.FilterSet):
    q = search("Subject, message id")
    state = choice(DeliveryState, "State", "state", "Any state")
    type = filters.ChoiceFilter(
        label="Event",
        empty_label="Any event",
        choices=[*((each.name, each.name) for each in CATALOGUE), (TEST, TEST)],
    )

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(subject_name__icontains=value) | Q(message_id=value))
