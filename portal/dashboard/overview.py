"""The dashboard: how everything one may see stands, in figures that lead to the lists behind them."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.selectors import figures as counts
from governance.selectors.figures import Scope
from portal.core.permissions import Act, may_anywhere
from portal.core.views import Page
from portal.core.vocabulary import SubjectKind
from registry.selectors.scope import projects_with_lines

from . import figures


class ScopeForm(forms.Form):
    """Which project and line of business to look at; made of what the person may see."""

    project = forms.TypedChoiceField(coerce=int, empty_value=None, required=False, label="Project")
    line_of_business = forms.TypedChoiceField(coerce=int, empty_value=None, required=False, label="Line of business")

    def __init__(self, *args: Any, projects: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = {project.line_of_business.pk: project.line_of_business.name for project in projects}
        self._offer("project", "Any project", [(project.pk, project.name) for project in projects])
        self._offer("line_of_business", "Any line of business", sorted(lines.items(), key=lambda line: line[1]))

    def _offer(self, name: str, every: str, choices: list[tuple[int, str]]) -> None:
        field: Any = self.fields[name]
        field.widget.attrs["class"] = "form-select"
        field.choices = [("", every), *choices]


class Dashboard(Page):
    """Figures; the address says of which project and line of business."""

    template_name = "dashboard/dashboard.html"
    fragment = "results"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = ScopeForm(self.request.GET or None, projects=projects_with_lines(self.actor))
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        # A filter with a value that does not exist shows nothing and says so, instead of showing everything.
        shown = self._figures(Scope(**chosen)) if not form.is_bound or form.is_valid() else {}
        return super().get_context_data(
            form=form,
            has_role=bool(self.actor.grants.anywhere),
            sees_operations=may_anywhere(self.actor, Act.SEE_OPERATIONS),
            shown=shown,
            **kwargs,
        )

    def _figures(self, scope: Scope) -> dict[str, Any]:
        actor = self.actor
        cases, reviews = counts.use_cases(actor, scope)
        versions = counts.versions(actor, scope)
        requests = counts.requests(actor, scope)
        found = counts.findings(actor, scope)
        running = counts.running(actor, scope)
        return {
            "use_cases": figures.funnel(SubjectKind.USE_CASE, cases, scope),
            "use_case_risk": figures.heat(SubjectKind.USE_CASE, cases, scope),
            "versions": figures.funnel(SubjectKind.MODEL_VERSION, versions, scope),
            "version_risk": figures.heat(SubjectKind.MODEL_VERSION, versions, scope),
            "requests": figures.ageing(requests, scope),
            "reviews": figures.reviews(reviews, scope),
            "findings": figures.findings(found, scope),
            "running": figures.running(running, scope),
            "stats": figures.stats(requests, reviews, found, running, scope),
        }
