"""Pages of model versions: list and one of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from portal.core.permissions import Act, may
from portal.core.views import Page, TablePage
from registry.services.deployments import reportable

from ..selectors import catalogue
from ..selectors.card_view import sections
from .filters import VersionFilter
from .tables import VersionTable


class VersionList(TablePage):
    template_name = "registry/version_list.html"
    table_class = VersionTable
    filter_class = VersionFilter

    def rows(self) -> QuerySet[Any]:
        return catalogue.versions(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No model versions yet",
            "text": "Register one in SageMaker, in a model group your project owns: it appears here within seconds.",
            "icon": "package",
            "action_label": "See the model groups",
            "action_url": reverse("registry:group_list"),
        }


class VersionDetail(Page):
    template_name = "registry/version.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = catalogue.version(self.actor, self.kwargs["pk"])
        self.version = version
        may_report = may(self.actor, Act.REPORT_DEPLOYMENT, version.scope_project_id)
        return super().get_context_data(
            version=version,
            group=version.group,
            use_cases=catalogue.use_cases_behind(self.actor, version),
            card=sections(version.card),
            metadata=sorted(version.metadata.items()),
            deployments=[
                {"row": deployment, "may_report": may_report and bool(reportable(deployment))}
                for deployment in catalogue.deployments_of(self.actor, version)
            ],
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.version
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": version.group.name, "url": reverse("registry:group", args=[version.group_id])},
            {"label": f"Version {version.number}", "url": ""},
        ]
