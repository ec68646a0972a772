"""Pages of model versions: list and one of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from portal.core.permissions import Act, may
from portal.core.tables import PortalTable
from portal.core.views import Page, TablePage
from registry.services.deployments import reportable

from ..choices import Stage
from ..models import ModelVersion
from ..selectors import catalogue, model_cards, monitoring, tracking, training_view
from ..selectors.card_view import sections
from ..selectors.report_view import view_of
from ..selectors.version_view import ways_to_reach
from .filters import VersionFilter
from .monitors import watched
from .tables import VersionTable


class VersionList(TablePage):
    template_name = "registry/version_list.html"
    table_class = VersionTable
    filter_class = VersionFilter

    def rows(self) -> QuerySet[Any]:
        return catalogue.versions(self.actor)

    def ready(self, table: PortalTable) -> None:
        # Not for an action on them: to be compared.
        table.selectable = True

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No model versions yet",
            "text": "Register one in SageMaker, in a model group your project owns: it appears here within seconds.",
            "icon": "package",
            "action_label": "See the model groups",
            "action_url": reverse("registry:group_list"),
        }


class Tab(StrEnum):
    """The parts of a version's page, each at an address of its own; what governance says fills slots."""

    OVERVIEW = "overview"
    METRICS = "metrics"
    CARD = "card"
    BIAS = "bias"
    LINEAGE = "lineage"
    TRAINING = "training"
    PIPELINE = "pipeline"
    RUN = "run"
    APPROVALS = "approvals"
    DEPLOYMENTS = "deployments"
    MONITORING = "monitoring"
    HISTORY = "history"


_TABS = {
    Tab.OVERVIEW: ("Overview", "info-circle"),
    Tab.METRICS: ("Metrics", "chart-bar"),
    Tab.CARD: ("Card", "notebook"),
    Tab.BIAS: ("Bias and explainability", "scale"),
    Tab.LINEAGE: ("Lineage", "git-branch"),
    Tab.TRAINING: ("Training", "cpu"),
    Tab.PIPELINE: ("Pipeline", "route"),
    Tab.RUN: ("MLflow run", "flask"),
    Tab.APPROVALS: ("Approvals", "clipboard-check"),
    Tab.DEPLOYMENTS: ("Deployments", "rocket"),
    Tab.MONITORING: ("Monitoring", "activity"),
    Tab.HISTORY: ("History", "history"),
}

# What tells where a version comes from stands under one tab: a dozen beside each other fit no screen.
_ORIGIN = (Tab.LINEAGE, Tab.TRAINING, Tab.PIPELINE, Tab.RUN)


def tab_url(version: ModelVersion, tab: Tab) -> str:
    """Return the address of one part of a version's page."""
    return reverse("registry:version" if tab is Tab.OVERVIEW else f"registry:version_{tab}", args=[version.pk])


class VersionDetail(Page):
    """One version, one tab of it at a time; htmx swaps the tab and the address follows."""

    template_name = "registry/version.html"
    tab: Tab = Tab.OVERVIEW

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = catalogue.version(self.actor, self.kwargs["pk"])
        self.version = version
        context: dict[str, Any] = {
            "version": version,
            "group": version.group,
            "tab": self.tab,
            "tab_label": _TABS[self.tab][0],
            "part_template": f"registry/version/{self.tab}.html",
            "tabs": [
                self._link(version, tab) if tab not in _ORIGIN else self._origin(version)
                for tab in _TABS
                if tab not in _ORIGIN[1:]
            ],
            "parts": [self._link(version, tab) for tab in _ORIGIN] if self.tab in _ORIGIN else [],
            **self._of_tab(version),
        }
        return super().get_context_data(**context, **kwargs)

    def _link(self, version: ModelVersion, tab: Tab) -> dict[str, Any]:
        label, icon = _TABS[tab]
        return {
            "label": label,
            "icon": icon,
            "url": tab_url(version, tab),
            "active": tab is self.tab,
            "id": f"tab-{tab}",
            "swap": True,
        }

    def _origin(self, version: ModelVersion) -> dict[str, Any]:
        link = self._link(version, _ORIGIN[0])
        return {**link, "label": "Origin", "active": False, "holds": self.tab in _ORIGIN, "id": "tab-origin"}

    def _of_tab(self, version: ModelVersion) -> dict[str, Any]:
        match self.tab:
            case Tab.OVERVIEW:
                return {
                    "use_cases": catalogue.use_cases_behind(self.actor, version),
                    "metadata": sorted(version.metadata.items()),
                    "ways": ways_to_reach(version, self._api_address(version)),
                }
            case Tab.CARD:
                return {
                    "card": sections(version.card),
                    "own_cards": model_cards.of_version(self.actor, version),
                    "group_cards": model_cards.of_group(self.actor, version),
                }
            case Tab.LINEAGE:
                return {
                    "use_cases": catalogue.use_cases_behind(self.actor, version),
                    "deployments": catalogue.deployments_of(self.actor, version),
                    "training": training_view.beside([version]).get(version.pk),
                }
            case Tab.RUN:
                return self._run(version)
            case Tab.MONITORING:
                return {"watched": watched(monitoring.watched_places(self.actor, version))}
            case Tab.TRAINING:
                return {"training": training_view.view_of(version)}
            case Tab.BIAS:
                return {"reports": view_of(version)}
            case Tab.METRICS:
                return {"reports": view_of(version), "training": training_view.beside([version]).get(version.pk)}
            case Tab.DEPLOYMENTS:
                may_report = may(self.actor, Act.REPORT_DEPLOYMENT, version.scope_project_id)
                return {
                    "deployments": [
                        {"row": deployment, "may_report": may_report and bool(reportable(deployment))}
                        for deployment in catalogue.deployments_of(self.actor, version)
                    ]
                }
            case _:
                return {}

    def _run(self, version: ModelVersion) -> dict[str, Any]:
        shown = tracking.run_in_full(self.actor, version)
        reading = shown.reading if shown is not None else None
        return {
            "shown": shown,
            "former": tracking.history_of(self.actor, version) if shown is None else [],
            "metrics": sorted(reading.metrics.items()) if reading else [],
            "params": sorted(reading.params.items()) if reading else [],
            # What MLflow itself notes there is told in words beside it.
            "tags": sorted((k, v) for k, v in reading.tags.items() if not k.startswith("mlflow.")) if reading else [],
            "status_tone": "good" if reading and reading.is_final else "warn",
            "may_name": may(self.actor, Act.ATTACH_RUN, version.scope_project_id)
            and version.stage != Stage.RETIRED
            and version.missing_since is None,
            "detach_effects": [
                "Its numbers count no more for metric rules.",
                "Open requests and approvals that rest on them are outdated.",
                "What was read stays in the history.",
            ],
        }

    def _api_address(self, version: ModelVersion) -> str:
        return self.request.build_absolute_uri(f"/api/v1/model-versions/{version.pk}/")

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.version
        path = [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": version.group.name, "url": reverse("registry:group", args=[version.group_id])},
        ]
        if self.tab is Tab.OVERVIEW:
            return [*path, {"label": f"Version {version.number}", "url": ""}]
        path.append({"label": f"Version {version.number}", "url": tab_url(version, Tab.OVERVIEW)})
        return [*path, {"label": _TABS[self.tab][0], "url": ""}]
