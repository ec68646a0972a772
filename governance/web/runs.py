"""Naming the MLflow run a version comes from: by its id, or by looking for the best one; read again, taken off."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.errors import DomainError, InvalidInput
from portal.core.permissions import Act, require
from portal.core.views import ActionView, FormPage, Page
from registry.models import ModelVersion, TrackingServer, VersionRun
from registry.selectors import catalogue, tracking
from registry.services import tracking_search

from ..policies.metrics import is_number
from ..services import runs

# Of each run found, what stands beside the metric it is ordered by.
_SHOWN_METRICS, _SHOWN_PARAMS = 4, 6


class RunForm(forms.Form):
    """Which run, on which server."""

    run = forms.CharField(
        label="Run",
        max_length=2048,
        help_text="Its id, runs:/ and its id, or the address of its page in MLflow.",
    )
    server = forms.ChoiceField(label="Tracking server", required=False)

    def __init__(self, *args: Any, servers: list[TrackingServer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(one.name, one.name) for one in servers]
        field = self.fields["server"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "As the address says"), *named] if len(named) > 1 else named


class SearchForm(forms.Form):
    """An experiment, and what makes a run the best."""

    server = forms.ChoiceField(label="Tracking server", required=False)
    experiment = forms.ChoiceField(required=False)
    order_by = forms.CharField(
        label="Best by", max_length=300, required=False, help_text="A metric such as auc; with ASC the smallest wins."
    )
    filter = forms.CharField(
        label="Only runs with", max_length=2000, required=False, help_text="Such as params.depth = '8'."
    )


def url_of_run(version: ModelVersion) -> str:
    """Return the part of a version's page that shows its run."""
    return reverse("registry:version_run", args=[version.pk])


class RunName(FormPage):
    """Name the run; the slot beside it looks for the best one."""

    template_name = "governance/run_name.html"
    form_class = RunForm
    submit_label = "Name this run"

    @cached_property
    def version(self) -> ModelVersion:
        found = catalogue.version(self.actor, self.kwargs["pk"])
        require(self.actor, Act.ATTACH_RUN, found.scope_project_id)
        return found

    @cached_property
    def servers(self) -> list[TrackingServer]:
        return tracking.usable_servers(self.actor, self.version)

    def form_arguments(self) -> dict[str, Any]:
        return {"servers": self.servers}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model versions", "url": reverse("registry:version_list")},
            {"label": self.version.name, "url": self.cancel_url()},
            {"label": "Name the MLflow run", "url": ""},
        ]

    def cancel_url(self) -> str:
        return url_of_run(self.version)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            version=self.version,
            servers=self.servers,
            standing=tracking.run_of(self.actor, self.version),
            search_url=reverse("governance:run_search", args=[self.version.pk]),
            **kwargs,
        )

    def carry_out(self, form: BaseForm) -> str:
        run = runs.attach(
            actor=self.actor,
            version_id=self.version.pk,
            run=form.cleaned_data["run"],
            server=form.cleaned_data["server"],
        )
        if run.last_error:
            messages.warning(
                self.request,
                f"{self.version.name} comes from {run.run_id} now, but it could not be read: {run.last_error}",
            )
        else:
            self.say(f"{self.version.name} comes from the MLflow run {run.run_id}. It was read.")
        return self.cancel_url()


class RunSearch(Page):
    """The best runs of an experiment, for the slot of the page that names one."""

    template_name = "governance/run_search.html"
    fragment = "search"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.version = version = catalogue.version(self.actor, self.kwargs["pk"])
        require(self.actor, Act.ATTACH_RUN, version.scope_project_id)
        servers = tracking.usable_servers(self.actor, version)
        given = self.request.GET
        server = next((one for one in servers if one.name == given.get("server")), None) or self._usual(servers)
        found: dict[str, Any] = {"version": version, "servers": servers, "server": server, "given": given}
        if server is not None:
            found |= self._of(server)
        return super().get_context_data(**found, **kwargs)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": self.version.name, "url": url_of_run(self.version)},
            {"label": "The best run", "url": ""},
        ]

    def _usual(self, servers: list[TrackingServer]) -> TrackingServer | None:
        """Return the server of the run that is named, else one that answered when it was tried last."""
        standing = tracking.run_of(self.actor, self.version)
        named = standing.run.server_id if standing is not None else None
        return min(servers, key=lambda one: (one.pk != named, bool(one.check_error)), default=None)

    def _of(self, server: TrackingServer) -> dict[str, Any]:
        """Return the experiments of a server and the runs asked for; what went wrong is said instead."""
        given = self.request.GET
        try:
            experiments = tracking_search.experiments(actor=self.actor, server_id=server.pk)
        except DomainError as refusal:
            return {"problem": refusal.detail}
        context: dict[str, Any] = {"experiments": experiments}
        if not given.get("experiment") or not given.get("order_by"):
            return context
        order = tracking_search.ordered(given["order_by"])
        try:
            found = tracking_search.best_runs(
                actor=self.actor,
                server_id=server.pk,
                experiment=given["experiment"],
                order_by=[given["order_by"]],
                filter_string=given.get("filter", ""),
            )
        except InvalidInput as refusal:
            return {**context, "refusals": [text for texts in refusal.errors.values() for text in texts]}
        except DomainError as refusal:
            return {**context, "problem": refusal.detail}
        metric = order.rsplit(" ", 1)[0].removeprefix("metrics.").strip("`")
        rows = [
            {
                "run": run,
                "best": run.metrics.get(metric),
                "metrics": [(k, v) for k, v in run.metrics.items() if k != metric and is_number(v)][:_SHOWN_METRICS],
                "params": list(run.params.items())[:_SHOWN_PARAMS],
                "more": max(0, len(run.params) - _SHOWN_PARAMS),
            }
            for run in found.runs
        ]
        return {**context, "rows": rows, "metric": metric, "has_more": found.has_more}


class RunRefresh(ActionView):
    """Read the run again."""

    def carry_out(self) -> str:
        run = runs.refresh(actor=self.actor, version_id=self.kwargs["pk"])
        self.say(*_told(run))
        return reverse("registry:version_run", args=[self.kwargs["pk"]])


class RunDetach(ActionView):
    """Take the run off."""

    def carry_out(self) -> str:
        runs.detach(actor=self.actor, version_id=self.kwargs["pk"])
        self.say("The run is taken off. What was read of it stays in the history.")
        return reverse("registry:version_run", args=[self.kwargs["pk"]])


def _told(run: VersionRun) -> tuple[str, int]:
    if run.last_error:
        return f"The run could not be read. {run.last_error}", messages.ERROR
    return "The run was read again.", messages.SUCCESS
