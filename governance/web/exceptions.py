"""Exceptions in full view: rules overridden for a while, roles delegated, versions rolled back to."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from portal.core.permissions import Act, may_anywhere, require
from portal.core.tables import PortalTable
from portal.core.views import ActionView, FormPage, TablePage
from portal.core.vocabulary import Role, Stage
from registry.models import ModelVersion

from ..lifecycle import MODEL_STAGES
from ..policies.facts import Check
from ..selectors import delegations as delegation_selectors
from ..selectors import overrides as override_selectors
from ..selectors import standing
from ..services import delegations, in_production, overrides
from .exception_forms import BreakGlassForm, DelegationForm, RollbackForm
from .exception_tables import DelegationTable, OverrideTable
from .list_filters import DelegationFilter, OverrideFilter
from .panels import OfSubject
from .wording import url_of


class OverrideList(TablePage):
    template_name = "governance/override_list.html"
    table_class = OverrideTable
    filter_class = OverrideFilter

    def rows(self) -> QuerySet[Any]:
        return override_selectors.register(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No rule was ever overridden",
            "text": "When an officer counts a failing check as met, with a reason and an end, it is listed here.",
            "icon": "shield-check",
        }

    def ready(self, table: PortalTable) -> None:
        cast("OverrideTable", table).actor = self.actor


class OverrideRevoke(ActionView):
    """End an override now."""

    def carry_out(self) -> str:
        row = overrides.revoke(actor=self.actor, override_id=self.kwargs["pk"])
        self.say(f"{row.public_id} is revoked: {row.check_label} counts as it stands again.")
        return reverse("governance:override_list")


class BreakGlass(OfSubject, FormPage):
    """Override one failing check of a subject; a page of its own, for it is an exception and says so."""

    template_name = "governance/break_glass.html"
    form_class = BreakGlassForm
    fragment = ""
    part = "Override a rule"
    submit_label = "Override it"

    def cancel_url(self) -> str:
        return url_of(self.subject)

    @cached_property
    def stage(self) -> Stage:
        """Return the stage whose rules are shown: the one asked for in the address, else where the subject stands."""
        asked = self.request.GET.get("stage", "")
        return Stage(asked) if asked in set(Stage) else Stage(self.subject.stage)

    @cached_property
    def failing(self) -> tuple[Check, ...]:
        return override_selectors.failing(self.subject, self.stage)

    def form_arguments(self) -> dict[str, Any]:
        return {
            "checks": self.failing,
            "initial": {
                "check": self.request.GET.get("check", ""),
                "expires_at": (timezone.now() + timedelta(days=7)).astimezone(UTC).replace(second=0, microsecond=0),
            },
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        require(self.actor, Act.BREAK_GLASS, self.subject.scope_project_id)
        return super().get_context_data(stage=self.stage, failing=self.failing, longest=overrides.LONGEST, **kwargs)

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        row = overrides.break_glass(
            actor=self.actor,
            subject_type=type(self.subject),
            subject_id=self.subject.pk,
            stage=self.stage,
            check_key=given["check"],
            reason=given["reason"],
            expires_at=given["expires_at"],
        )
        self.say(f"{row.public_id}: {row.check_label} counts as passed until {row.expires_at:%Y-%m-%d %H:%M} UTC.")
        return url_of(self.subject)


class Rollback(OfSubject, FormPage):
    """Deploy an earlier version again that was approved for a stage."""

    template_name = "governance/rollback.html"
    form_class = RollbackForm
    fragment = ""
    part = "Roll back to it"
    submit_label = "Order its deployment"

    def cancel_url(self) -> str:
        return url_of(self.subject)

    def form_arguments(self) -> dict[str, Any]:
        stages = [stage for stage in reversed(MODEL_STAGES) if standing.is_earlier_there(self._version, stage)]
        return {"stages": stages}

    @property
    def _version(self) -> ModelVersion:
        return cast("ModelVersion", self.subject)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        require(self.actor, Act.ROLLBACK, self.subject.scope_project_id)
        return super().get_context_data(running=standing.deployed_beside(self._version), **kwargs)

    def carry_out(self, form: BaseForm) -> str:
        stage = Stage(form.cleaned_data["stage"])
        in_production.rollback(
            actor=self.actor, version_id=self.subject.pk, stage=stage, reason=form.cleaned_data["reason"]
        )
        self.say(f"The deployment of {self._version.name} for {stage.label} is ordered.")
        return url_of(self.subject)


class DelegationList(TablePage):
    template_name = "governance/delegation_list.html"
    table_class = DelegationTable
    filter_class = DelegationFilter

    def rows(self) -> QuerySet[Any]:
        return delegation_selectors.register(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nobody stands in for anybody",
            "text": "Who decides can let somebody else decide in his name while he is away.",
            "icon": "users",
        }

    def ready(self, table: PortalTable) -> None:
        cast("DelegationTable", table).actor = self.actor

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_delegate=may_anywhere(self.actor, Act.DELEGATE), **kwargs)


class DelegationNew(FormPage):
    template_name = "governance/delegation_new.html"
    form_class = DelegationForm
    submit_label = "Delegate"
    needs = Act.DELEGATE

    def cancel_url(self) -> str:
        return reverse("governance:delegation_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Delegations", "url": self.cancel_url()}, {"label": "Delegate", "url": ""}]

    def form_arguments(self) -> dict[str, Any]:
        today = timezone.now().date()
        return {
            "delegators": delegation_selectors.delegators_for(self.actor),
            "people": delegation_selectors.stand_ins(),
            "roles": delegation_selectors.roles_to_delegate(self.actor),
            "projects": delegation_selectors.projects_for(self.actor),
            "initial": {
                "delegator": self.actor.user_id,
                "starts_on": today,
                "ends_on": today + timedelta(days=14),
            },
        }

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        made = delegations.delegate(
            actor=self.actor,
            delegator=given["delegator"],
            to=given["delegate"],
            role=Role(given["role"]),
            project=given["project"],
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            reason=given["reason"],
        )
        self.say(f"{made.delegate} decides in the name of {made.delegator} from {made.starts_on} to {made.ends_on}.")
        return self.cancel_url()


class DelegationRevoke(ActionView):
    """End a delegation now."""

    def carry_out(self) -> str:
        row = delegations.revoke(actor=self.actor, delegation_id=self.kwargs["pk"])
        self.say(f"{row.delegate} no longer decides in the name of {row.delegator}.")
        return reverse("governance:delegation_list")
