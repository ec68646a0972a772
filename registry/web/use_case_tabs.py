"""The page of a use case: one head, and a section per tab with an address of its own.

What governance knows (stages, requests, evidence, monitoring, who decides, history) comes as slots from its addresses.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse

from portal.core.permissions import Act, may
from portal.core.vocabulary import RiskClass, Stage

from ..choices import ObjectKind
from ..models import UseCase
from ..selectors import attributes, catalogue, people
from .attributes import card_items
from .use_cases import OfUseCase, tab_url

OVERVIEW, RISK = "overview", "risk"
# In the order of the page; "risk" is the AI Act's own page.
TABS: dict[str, tuple[str, str]] = {
    OVERVIEW: ("Overview", "target-arrow"),
    "lifecycle": ("Lifecycle", "stairs"),
    "models": ("Models", "packages"),
    RISK: ("Risk & AI Act", "scale"),
    "evidence": ("Evidence", "clipboard-list"),
    "monitoring": ("Monitoring", "heartbeat"),
    "people": ("People", "users"),
    "history": ("History", "history"),
}
# The newest versions of a group that the page names; the list of versions has all of them.
_MOST_VERSIONS = 10


def tabs_of(use_case: UseCase, here: str) -> list[dict[str, Any]]:
    """Return the tabs of a use case's page for the component, `here` being shown."""
    own = {
        OVERVIEW: reverse("registry:use_case", args=[use_case.number]),
        RISK: reverse("registry:use_case_ai_act", args=[use_case.number]),
    }
    return [
        {"key": key, "label": label, "icon": icon, "url": own.get(key) or tab_url(use_case, key), "active": key == here}
        for key, (label, icon) in TABS.items()
    ]


class InTabs(OfUseCase):
    """A page of a use case with its head and tabs. With htmx only the section is swapped."""

    template_name = "registry/use_case.html"
    fragment = "tab"
    tab = OVERVIEW

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        use_case, scope = self.use_case, self.use_case.scope_project_id
        is_open = use_case.stage != Stage.RETIRED
        return super().get_context_data(
            **{
                "tab": self.tab,
                "tabs": tabs_of(use_case, self.tab),
                "tab_label": TABS[self.tab][0],
                "part_template": f"registry/use_case/{self.tab}.html",
                "may_edit": is_open and may(self.actor, Act.EDIT_USE_CASE, scope),
                "may_review": is_open and may(self.actor, Act.REVIEW_USE_CASE, scope),
                "may_classify": is_open and may(self.actor, Act.CLASSIFY_USE_CASE, scope),
                "unclassified": use_case.risk_class == RiskClass.UNCLASSIFIED,
                **kwargs,
            }
        )


class UseCaseDetail(InTabs):
    """What it is for, who answers for it, and what is to be done next."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        documents = catalogue.documents_of(self.use_case)
        return super().get_context_data(
            written=sum(1 for _, document in documents if document),
            documents=documents,
            evidence_url=tab_url(self.use_case, "evidence"),
            models_url=tab_url(self.use_case, "models"),
            group_names=catalogue.group_names_behind(self.actor, self.use_case),
            attributes=card_items(attributes.sheet(ObjectKind.USE_CASE, archived=True), self.use_case.attributes),
            **kwargs,
        )


class UseCaseTab(InTabs):
    """Any other section; what there is no section for is not found."""

    @property
    def tab(self) -> str:  # type: ignore[override]  # each address has its own
        name: str = self.kwargs["tab"]
        if name not in TABS or name in (OVERVIEW, RISK):
            raise Http404("There is no such section.")
        return name

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [*super().breadcrumbs(), {"label": TABS[self.tab][0], "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Whether it may be seen comes before whether there is such a section.
        use_case = self.use_case
        own: dict[str, Any] = {}
        if self.tab == "models":
            found: list[Any] = [*catalogue.groups_behind(self.actor, use_case, most=_MOST_VERSIONS + 1)]
            own = {
                "groups": [
                    {
                        "row": group,
                        "serving": group.serving[:_MOST_VERSIONS],
                        "has_more": len(group.serving) > _MOST_VERSIONS,
                    }
                    for group in found
                ]
            }
        elif self.tab == "evidence":
            documents = catalogue.documents_of(use_case)
            own = {"documents": documents, "written": sum(1 for _, document in documents if document)}
        elif self.tab == "people":
            own = {
                "holders": people.who_works_on(use_case.project),
                "shown_to": people.shown_use_case(use_case),
            }
        return super().get_context_data(**own, **kwargs)
