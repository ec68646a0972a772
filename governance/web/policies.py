"""The policy matrix as pages: read by everybody, drafted, tried and published by ML admins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import django_tables2 as tables
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from portal.core.errors import InvalidInput, NotFound, StaleEdit
from portal.core.permissions import Act, may
from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, reltime, status_badge
from portal.core.views import ActionView, FormPage, Page, TablePage
from portal.core.vocabulary import RiskRating, Stage, SubjectKind
from registry.web.differences import overtaken

from ..choices import OutsideResponse, PolicyState
from ..lifecycle import SKIPPABLE, STAGES
from ..models import PolicyVersion
from ..policies.differences import RESPONSE_LABELS, path_words, response_words
from ..policies.facts import Matrix
from ..policies.validation import TIERS
from ..selectors import policy as policies
from ..selectors import policy_preview as previews
from ..selectors import resources
from ..selectors.names import names_of
from ..services import policies as services
from .list_filters import PolicyFilter
from .policy_forms import (
    PATHS,
    ROW_PARTS,
    CellForm,
    DraftForm,
    PolicyForm,
    PreviewForm,
    RevisedForm,
    metrics_sent,
    values_of,
)
from .policy_words import change_groups, needs_lines, problem_lines, request_lines
from .wording import check_lines, url_of

_KINDS = (SubjectKind.MODEL_VERSION, SubjectKind.USE_CASE)
_PLURAL = {SubjectKind.MODEL_VERSION: "Model versions", SubjectKind.USE_CASE: "Use cases"}


class PolicyTable(PortalTable):
    label = "Policies"
    number = tables.Column("Policy", order_by=("number",))
    state = tables.Column(order_by=("state", "-number"))
    note = tables.Column("What it changed", orderable=False, empty_values=())
    created_by = tables.Column("Drafted by", order_by=("created_by", "-number"))
    published_at = tables.Column("Published", order_by=("published_at", "-number"), empty_values=())
    in_force: int | None = None
    names: Mapping[str | None, str] = MappingProxyType({})

    def render_number(self, record: PolicyVersion) -> SafeString:
        return name_cell(str(record), reverse("governance:policy", args=[record.number]))

    def render_state(self, record: PolicyVersion) -> SafeString:
        if record.number == self.in_force:
            return badge("In force", "good", "scale")
        return status_badge(record.state)

    def render_note(self, record: PolicyVersion) -> SafeString | str:
        return record.note or absent("no note")

    def render_created_by(self, record: PolicyVersion) -> SafeString:
        return two(self.names.get(record.created_by, record.created_by), reltime(record.created_at))

    def render_published_at(self, record: PolicyVersion) -> SafeString:
        return reltime(record.published_at, "not yet")


class PolicyList(TablePage):
    template_name = "governance/policy_list.html"
    table_class = PolicyTable
    filter_class = PolicyFilter

    def rows(self) -> QuerySet[Any]:
        return resources.policy_versions(self.actor).order_by("-number")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_draft=may(self.actor, Act.EDIT_POLICY), **kwargs)

    def ready(self, table: PortalTable) -> None:
        own = cast("PolicyTable", table)
        own.in_force = policies.in_force().number
        own.names = names_of(resources.policy_versions(self.actor).values_list("created_by", flat=True).distinct())


class OfPolicy(Page):
    """A page about one policy."""

    part = ""

    @cached_property
    def policy(self) -> PolicyVersion:
        return policies.by_number(self.actor, self.kwargs["number"])

    @cached_property
    def matrix(self) -> Matrix:
        return policies.matrix_of(self.policy)

    @property
    def url(self) -> str:
        return reverse("governance:policy", args=[self.policy.number])

    def breadcrumbs(self) -> list[dict[str, str]]:
        found = [
            {"label": "Policies", "url": reverse("governance:policy_list")},
            {"label": str(self.policy), "url": self.url if self.part else ""},
        ]
        return [*found, {"label": self.part, "url": ""}] if self.part else found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            policy=self.policy,
            in_force=policies.in_force(),
            is_draft=self.policy.state == PolicyState.DRAFT,
            may_edit=may(self.actor, Act.EDIT_POLICY),
            **kwargs,
        )


class PolicyPage(OfPolicy):
    """One policy as a matrix: stages across, tiers of risk down, a tab for each kind of subject."""

    template_name = "governance/policy.html"

    @property
    def kind(self) -> SubjectKind:
        asked = self.request.GET.get("kind")
        return SubjectKind.USE_CASE if asked == SubjectKind.USE_CASE else SubjectKind.MODEL_VERSION

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        policy, kind = self.policy, self.kind
        is_draft = policy.state == PolicyState.DRAFT
        since = None if is_draft else self._before()
        compared = policies.in_force() if is_draft else since
        names = names_of((policy.created_by, policy.published_by))
        return super().get_context_data(
            tabs=[
                {"label": _PLURAL[one], "url": f"?kind={one}", "active": one is kind, "icon": icon}
                for one, icon in zip(_KINDS, ("package", "target-arrow"), strict=True)
            ],
            stages=[{"stage": stage, "on_path": stage in self.matrix.path(kind)} for stage in STAGES[kind]],
            rows=[
                {"tier": tier, "cells": [_cell(self.matrix, policy, kind, stage, tier) for stage in STAGES[kind]]}
                for tier in TIERS
            ],
            kind=kind,
            paths=[(_PLURAL[one], path_words(self.matrix.path(one))) for one in _KINDS],
            responses=[
                (label, response_words(getattr(self.matrix, name)).capitalize())
                for name, label in RESPONSE_LABELS.items()
            ],
            problems=problem_lines(self.matrix) if is_draft else [],
            is_overtaken=is_draft and policy.follows != policies.in_force().number,
            compared=compared,
            changes=change_groups(policy, compared) if compared else [],
            discard={"revision": policy.revision},
            drafted_by=names[policy.created_by],
            published_by=names[policy.published_by],
            **kwargs,
        )

    def _before(self) -> PolicyVersion | None:
        """Return the policy that was in force before this one."""
        follows = self.policy.follows
        return None if follows is None else policies.by_number(self.actor, follows)


class DraftNew(FormPage):
    template_name = "governance/policy_draft.html"
    form_class = DraftForm
    submit_label = "Make the draft"

    @cached_property
    def choices(self) -> list[PolicyVersion]:
        services.refuse_unless_editor(self.actor)
        return list(resources.policy_versions(self.actor).order_by("-number"))

    def form_arguments(self) -> dict[str, Any]:
        asked = self.request.GET.get("based_on", "")
        numbers = [policy.number for policy in self.choices]
        start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
        return {
            "policies": self.choices,
            "initial": {"based_on": start if start in numbers else policies.in_force().number},
        }

    def carry_out(self, form: BaseForm) -> str:
        made = services.draft(actor=self.actor, note=form.cleaned_data["note"], based_on=form.cleaned_data["based_on"])
        self.say(f"{made} is a draft now: it binds nobody until it is published.")
        return reverse("governance:policy", args=[made.number])

    def cancel_url(self) -> str:
        return reverse("governance:policy_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Policies", "url": self.cancel_url()}, {"label": "New draft", "url": ""}]


class _DraftPage(OfPolicy, FormPage):
    """A form about a draft, for who may change it; somebody else's newer change is shown beside what was typed."""

    @cached_property
    def policy(self) -> PolicyVersion:
        return services.editable(actor=self.actor, number=self.kwargs["number"])

    def cancel_url(self) -> str:
        return self.url

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except StaleEdit as refusal:
            del self.policy
            return overtaken(self, refusal)


class PolicyEdit(_DraftPage):
    template_name = "governance/policy_edit.html"
    form_class = PolicyForm
    part = "Note, stages and answers"

    def form_arguments(self) -> dict[str, Any]:
        policy = self.policy
        skippable = {name: [stage for stage in getattr(policy, name) if stage in SKIPPABLE] for name, _ in PATHS}
        responses = {name: getattr(policy, name) for name in RESPONSE_LABELS}
        return {"initial": {"note": policy.note, "revision": policy.revision, **skippable, **responses}}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        services.edit(
            actor=self.actor,
            policy_id=self.policy.pk,
            revision=given["revision"],
            note=given["note"],
            paths=cast("PolicyForm", form).paths(),
            # A form sent without them leaves them as they are.
            **{name: OutsideResponse(given[name]) for name in RESPONSE_LABELS if given[name]},
        )
        self.say(f"{self.policy} is saved.")
        return self.url


class CellEdit(_DraftPage):
    """One cell of a draft."""

    template_name = "governance/policy_cell.html"
    form_class = CellForm
    submit_label = "Save this cell"
    part = "Cell"

    @cached_property
    def place(self) -> tuple[SubjectKind, Stage, RiskRating]:
        try:
            found = (
                SubjectKind(self.kwargs["cell_kind"]),
                Stage(self.kwargs["cell_stage"]),
                RiskRating(self.kwargs["cell_tier"]),
            )
        except ValueError:
            raise NotFound("There is no such cell.") from None
        if found[1] not in STAGES[found[0]] or found[2] not in TIERS:
            raise NotFound("There is no such cell.")
        return found

    def form_arguments(self) -> dict[str, Any]:
        rule = policies.matrix_of(self.policy).cell(*self.place)
        return {
            "kind": self.place[0],
            "metrics": max(len(rule.metrics) if rule else 0, metrics_sent(self.request.POST)),
            "initial": {**values_of(rule), "revision": self.policy.revision},
        }

    def carry_out(self, form: BaseForm) -> str:
        kind, stage, tier = self.place
        rule = cast("CellForm", form).rule(kind, stage, tier)
        services.set_rule(actor=self.actor, policy_id=self.policy.pk, revision=form.cleaned_data["revision"], rule=rule)
        self.say(f"{kind.label} at {stage.label}, {tier.label.lower()} risk: saved.")
        return f"{self.url}?kind={kind}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kind, stage, tier = self.place
        return super().get_context_data(
            kind=kind, stage=stage, tier=tier, columns=[label for _, label in ROW_PARTS], **kwargs
        )


class PolicyPreview(OfPolicy):
    """What a policy would ask of one subject, and which open requests it would change."""

    template_name = "governance/policy_preview.html"
    part = "Try it"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PreviewForm(self.request.GET if "subject" in self.request.GET else None)
        tried = self._tried(form) if form.is_bound and form.is_valid() and form.cleaned_data["subject"] else None
        return super().get_context_data(
            form=form,
            tried=tried,
            checks=check_lines(tried.checks) if tried else [],
            needs=needs_lines(tried.needs) if tried and tried.needs else [],
            tried_url=url_of(tried.subject) if tried else "",
            requests=request_lines(previews.of_open_requests(self.actor, self.policy)),
            **kwargs,
        )

    def _tried(self, form: PreviewForm) -> previews.SubjectPreview | None:
        subject = previews.subject_named(self.actor, form.cleaned_data["subject"])
        if subject is None:
            form.add_error("subject", "You see no such use case or version. Write UC-0001, or group/7.")
            return None
        stage = Stage(form.cleaned_data["stage"] or subject.stage)
        if stage not in previews.stages_of(subject):
            form.add_error("stage", f"{subject} is never asked about at {stage.label}.")
            return None
        return previews.of_subject(self.policy, subject, stage)


class PolicyPublish(_DraftPage):
    """Publishing, confirmed: what changes, and what does not."""

    template_name = "governance/policy_publish.html"
    form_class = RevisedForm
    submit_label = "Publish it for good"
    part = "Publish"

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"revision": self.policy.revision}}

    def carry_out(self, form: BaseForm) -> str:
        published = services.publish(actor=self.actor, policy_id=self.policy.pk, revision=form.cleaned_data["revision"])
        self.say(f"{published} is in force now. Requests that are open keep the policy they were made under.")
        return self.url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        in_force = policies.in_force()
        return super().get_context_data(
            problems=problem_lines(self.matrix),
            is_overtaken=self.policy.follows != in_force.number,
            changes=change_groups(self.policy, in_force),
            requests=request_lines(previews.of_open_requests(self.actor, self.policy)),
            **kwargs,
        )


class PolicyDiscard(ActionView):
    """Throw a draft away."""

    def carry_out(self) -> str:
        policy = services.editable(actor=self.actor, number=self.kwargs["number"])
        form = RevisedForm(self.request.POST)
        if not form.is_valid():
            raise InvalidInput("Open the draft again and discard it there.", errors={"revision": ["Send it."]})
        services.discard(actor=self.actor, policy_id=policy.pk, revision=form.cleaned_data["revision"])
        self.say(f"{policy} is discarded.")
        return reverse("governance:policy_list")


def _cell(matrix: Matrix, policy: PolicyVersion, kind: SubjectKind, stage: Stage, tier: RiskRating) -> dict[str, Any]:
    rule = matrix.cell(kind, stage, tier)
    return {
        "rule": rule,
        "stage": stage,
        "on_path": stage in matrix.path(kind),
        "lines": needs_lines(rule) if rule else [],
        "url": reverse("governance:policy_cell", args=[policy.number, kind, stage, tier]),
    }
