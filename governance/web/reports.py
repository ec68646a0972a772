"""What comes back from outside: deployments and test results, reported by people."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core import access
from portal.core.permissions import Act, require
from portal.core.views import FormPage
from registry.choices import DeploymentState
from registry.models import Deployment
from registry.services.deployments import reportable

from ..choices import MetricKind
from ..models import StageRecord
from ..selectors.channels import last_order
from ..services import deployments, metrics
from .forms import DeploymentReportForm, MetricsForm
from .wording import url_of


class DeploymentReport(FormPage):
    template_name = "governance/deployment_report.html"
    form_class = DeploymentReportForm
    submit_label = "Report it"

    @cached_property
    def deployment(self) -> Deployment:
        found = access.get(Deployment, self.actor, pk=self.kwargs["pk"])
        require(self.actor, Act.REPORT_DEPLOYMENT, found.scope_project_id)
        return found

    def build(self, data: Any = None) -> BaseForm:
        # The page offers what may come next; a report out of order is for the service to refuse, with its reason.
        states = [state for state in deployments.REPORTABLE if data or state in reportable(self.deployment)]
        return DeploymentReportForm(data, states=states, initial={"endpoint": self.deployment.endpoint})

    def carry_out(self, form: BaseForm) -> str:
        state = DeploymentState(form.cleaned_data["state"])
        deployment = deployments.report(
            actor=self.actor,
            deployment_id=self.deployment.pk,
            state=state,
            endpoint=form.cleaned_data["endpoint"],
            detail=form.cleaned_data["detail"],
        )
        self.say(f"{deployment.version.name} in {deployment.account} is reported {state.label.lower()}.")
        return f"{url_of(deployment.version)}#deployments"

    def cancel_url(self) -> str:
        return f"{url_of(self.deployment.version)}#deployments"

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.deployment.version
        return [
            {"label": "Model versions", "url": reverse("registry:version_list")},
            {"label": version.name, "url": url_of(version)},
            {"label": "Report a deployment", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            deployment=self.deployment,
            order=last_order(self.deployment),
            reportable=bool(reportable(self.deployment)),
            **kwargs,
        )


class MetricsReport(FormPage):
    template_name = "governance/metrics_report.html"
    form_class = MetricsForm
    submit_label = "Record the results"

    @cached_property
    def record(self) -> StageRecord:
        found = access.get(StageRecord, self.actor, pk=self.kwargs["pk"])
        require(self.actor, Act.REPORT_METRICS, found.scope_project_id)
        return found

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        record = metrics.report(
            actor=self.actor,
            record_id=self.record.pk,
            kind=MetricKind.VALIDATION,
            metrics=given["metrics"],
            source=given["source"],
            captured_at=given["captured_at"],
        )
        count = len(given["metrics"])
        self.say(f"{count} validation metric{'s' if count != 1 else ''} of {record.version.name} recorded.")
        return f"{url_of(record.version)}#records"

    def cancel_url(self) -> str:
        return f"{url_of(self.record.version)}#records"

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.record.version
        return [
            {"label": "Model versions", "url": reverse("registry:version_list")},
            {"label": version.name, "url": url_of(version)},
            {"label": "Report validation metrics", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(record=self.record, **kwargs)
