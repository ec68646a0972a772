"""How the metrics of a model group went from version to version: a slot of its page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from portal.core.views import Page
from registry.selectors import catalogue

from ..policies.metrics import number_words
from ..selectors import group_metrics


class GroupMetrics(Page):
    """The validation metrics of a group's newest versions beside each other, the latest with its change."""

    template_name = "governance/group_metrics.html"
    fragment = "slot"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        group = catalogue.group(self.actor, self.kwargs["pk"])
        runs = [
            {
                "name": run.name,
                "steps": [
                    {
                        "version": step.version,
                        "words": "not reported" if step.value is None else number_words(step.value),
                    }
                    for step in run.steps
                ],
                "change": run.change,
                "verdict": run.verdict,
            }
            for run in group_metrics.runs(self.actor, group)
        ]
        url = reverse("registry:group", args=[group.pk])
        crumbs = [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": group.name, "url": url},
            {"label": "Metrics over its versions", "url": ""},
        ]
        return super().get_context_data(
            **{"group": group, "runs": runs, "back_url": url, "breadcrumbs": crumbs, **kwargs}
        )
