"""The policy matrix: what each kind of subject needs at each stage and tier of risk, drafted, tried and published."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput, NotFound
from portal.core.filters import Filters, one_of
from portal.core.orderings import moment_or_never
from portal.core.serializers import Input, NoInput, Output, public_number, text, word
from portal.core.viewsets import ROW_ID, Listed, Revised
from portal.core.vocabulary import Provenance
from registry.models import ModelVersion, UseCase
from registry.selectors import resources as catalogue

from ..choices import EvidenceKind, OutsideResponse, PolicyState, RiskRating, Role, Stage, SubjectKind
from ..models import PolicyVersion
from ..policies.differences import RESPONSE_LABELS
from ..policies.facts import Rule, metrics_from_json, needs_from_json, provenance_from_json
from ..policies.validation import TIERS
from ..selectors import policy as policies
from ..selectors import policy_preview as previews
from ..selectors import resources
from ..services import policies as services
from .requirements import (
    STAGE,
    CheckOutput,
    MetricRuleInput,
    MetricRuleOutput,
    NeedOutput,
    as_checks,
    as_requirements,
    stage_of,
)


class RuleOutput(Output):
    """One cell of the matrix."""

    kind = word(SubjectKind)
    stage = word(Stage)
    tier = word(RiskRating)
    approvals = NeedOutput(many=True)
    evidence = serializers.ListField(child=word(EvidenceKind))
    metrics = MetricRuleOutput(many=True)
    provenance = serializers.ListField(child=word(Provenance))
    days_until_due = serializers.IntegerField()
    days_until_expiry = serializers.IntegerField()


class PolicyOutput(Output):
    """One edition of the matrix; the newest published one is in force."""

    number = serializers.IntegerField()
    state = word(PolicyState)
    note = serializers.CharField()
    model_path = serializers.ListField(child=word(Stage))
    use_case_path = serializers.ListField(child=word(Stage))
    on_outside_approval = word(
        OutsideResponse, help_text="What is done about an approval in SageMaker past the portal."
    )
    on_outside_rejection = word(OutsideResponse, help_text="What is done about any other change of status or stage.")
    based_on = serializers.IntegerField(allow_null=True, help_text="The policy its cells were copied from.")
    follows = serializers.IntegerField(
        allow_null=True, help_text="The policy in force when it was made; a draft is published only while it still is."
    )
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField()
    revision = serializers.IntegerField()
    rules = RuleOutput(many=True, source="rules.all")


class PolicyDifferenceOutput(Output):
    """One thing that is asked for differently, in plain words."""

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    before = serializers.CharField()
    after = serializers.CharField()


class PolicyCellOutput(Output):
    """Everything one cell asks for differently."""

    kind = word(SubjectKind)
    stage = word(Stage)
    tier = word(RiskRating)
    differences = PolicyDifferenceOutput(many=True)


class PolicyChangesOutput(Output):
    """Everything a policy asks for differently from another."""

    since = serializers.IntegerField(help_text="The policy it is compared with.")
    paths = PolicyDifferenceOutput(many=True)
    cells = PolicyCellOutput(many=True)
    responses = PolicyDifferenceOutput(many=True, help_text="What is done about changes made outside the portal.")


class SubjectPreviewOutput(Output):
    """What one subject would need at a stage, and how it stands against it today."""

    kind = word(SubjectKind)
    id = serializers.CharField()
    name = serializers.CharField()
    stage = word(Stage)
    on_path = serializers.BooleanField(help_text="Whether the policy makes it pass this stage.")
    risk_tier = word(RiskRating)
    risk_tier_source = serializers.CharField()
    approvals = NeedOutput(many=True)
    evidence = serializers.ListField(child=word(EvidenceKind))
    metrics = MetricRuleOutput(many=True)
    provenance = serializers.ListField(child=word(Provenance))
    days_until_due = serializers.IntegerField(allow_null=True)
    days_until_expiry = serializers.IntegerField(allow_null=True)
    checks = CheckOutput(many=True)


class RequestPreviewOutput(Output):
    """What an open request would need differently if it were submitted anew; it keeps the policy it was made under."""

    id = serializers.CharField()
    policy_version = serializers.IntegerField()
    differences = PolicyDifferenceOutput(many=True)
    unmet = CheckOutput(many=True)


class PreviewOutput(Output):
    """What a policy would do."""

    number = serializers.IntegerField()
    changes = PolicyChangesOutput()
    subject = SubjectPreviewOutput(allow_null=True)
    open_requests = RequestPreviewOutput(many=True)


class PolicyDraftInput(Input):
    """A new draft."""

    note = text()
    based_on = serializers.IntegerField(required=False, allow_null=True, default=None)


class PolicyEdit(Input):
    """What a draft says besides its cells; what is left out stays."""

    note = text()
    model_path = serializers.ListField(child=word(Stage), required=False)
    use_case_path = serializers.ListField(child=word(Stage), required=False)
    on_outside_approval = word(OutsideResponse, required=False)
    on_outside_rejection = word(OutsideResponse, required=False)


class NeedInput(Input):
    """So many people in that role must approve."""

    role = word(Role)
    count = serializers.IntegerField()


class RuleInput(Input):
    """One cell of the matrix, whole."""

    kind = word(SubjectKind)
    stage = word(Stage)
    tier = serializers.ChoiceField(choices=[(tier.value, tier.label) for tier in TIERS])
    approvals = NeedInput(many=True)
    evidence = serializers.ListField(child=word(EvidenceKind), required=False, default=list)
    metrics = MetricRuleInput(many=True, required=False, default=list)
    provenance = serializers.ListField(child=word(Provenance), required=False, default=list)
    days_until_due = serializers.IntegerField()
    days_until_expiry = serializers.IntegerField()


class PolicyFilters(Filters):
    """Filters of the list."""

    state = one_of(PolicyState, "state")


_SUBJECT = (
    OpenApiParameter("use_case", OpenApiTypes.STR, description="A use case to try it on, such as `UC-0001`."),
    OpenApiParameter("model_version", OpenApiTypes.INT, description="Or a model version, by its id."),
    STAGE,
)


class Policies(Listed, Revised):
    """Editions of the policy matrix, newest first."""

    noun = "policy"
    serializer_class = PolicyOutput
    filterset_class = PolicyFilters
    lookup_field = "number"
    lookup_value_regex = ROW_ID
    ordering = ("-number",)
    search_fields = ("note", "created_by", "published_by")
    ordering_fields = {"number": "number", "state": "state", "published_at": moment_or_never("published_at")}
    tie_breaker = ("number",)
    conditional_actions = frozenset({"partial_update", "rules", "publish", "destroy"})

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        return resources.policy_versions(self.actor)

    @extend_schema(request=PolicyDraftInput, responses={201: PolicyOutput})
    def create(self, request: Request) -> Response:
        """Make a draft with the cells of a policy: the one in force, or the one of that number."""
        values = self.read(PolicyDraftInput)
        return self.show(services.draft(actor=self.actor, note=values["note"], based_on=values["based_on"]), 201)

    @extend_schema(request=PolicyEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change a draft's note, the stages each kind must pass, and what it does about changes made outside."""
        policy = self.get_object()
        revision = self.agreed_revision(policy)
        values = self.read(PolicyEdit, partial=True)
        fields = ((SubjectKind.MODEL_VERSION, "model_path"), (SubjectKind.USE_CASE, "use_case_path"))
        edited = services.edit(
            actor=self.actor,
            policy_id=policy.pk,
            revision=revision,
            note=values.get("note"),
            paths={kind: tuple(map(Stage, values[field])) for kind, field in fields if field in values},
            **{name: OutsideResponse(values[name]) for name in RESPONSE_LABELS if name in values},
        )
        return self.show(edited)

    @extend_schema(request=RuleInput)
    @action(detail=True, methods=["put"])
    def rules(self, request: Request, **kwargs: Any) -> Response:
        """Write one cell of a draft, new or in place of the one there."""
        policy = self.get_object()
        revision = self.agreed_revision(policy)
        rule = _rule(self.read(RuleInput))
        return self.show(services.set_rule(actor=self.actor, policy_id=policy.pk, revision=revision, rule=rule))

    @extend_schema(request=None)
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Throw a draft away."""
        policy = self.get_object()
        services.discard(actor=self.actor, policy_id=policy.pk, revision=self.agreed_revision(policy))
        return Response(status=204)

    @extend_schema(request=NoInput)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, **kwargs: Any) -> Response:
        """Put a draft in force, whole and for good; open requests keep the policy they were made under."""
        policy = self.get_object()
        self.read(NoInput)
        revision = self.agreed_revision(policy)
        return self.show(services.publish(actor=self.actor, policy_id=policy.pk, revision=revision))

    @extend_schema(
        responses=PolicyChangesOutput,
        parameters=[OpenApiParameter("since", OpenApiTypes.INT, description="By default the policy in force.")],
    )
    @action(detail=True, methods=["get"], query_parameters=("since",))
    def changes(self, request: Request, **kwargs: Any) -> Response:
        """Show what a policy asks for differently from another, cell by cell."""
        policy, since = self.get_object(), policies.in_force()
        if "since" in request.query_params:
            since = policies.by_number(self.actor, _whole(request.query_params["since"], "since"))
        return Response(PolicyChangesOutput(_changes(policy, since)).data)

    @extend_schema(responses=PreviewOutput, parameters=[*_SUBJECT])
    @action(detail=True, methods=["get"], query_parameters=("use_case", "model_version", "stage"))
    def preview(self, request: Request, **kwargs: Any) -> Response:
        """Show what a policy would ask of a subject at a stage, and which open requests it would change."""
        policy = self.get_object()
        subject = self._subject()
        answer = {
            "number": policy.number,
            "changes": _changes(policy, policies.in_force()),
            "subject": None if subject is None else _subject_preview(policy, subject, request),
            "open_requests": [
                {
                    "id": found.request.public_id,
                    "policy_version": found.request.policy.number,
                    "differences": found.differences,
                    "unmet": as_checks(found.unmet),
                }
                for found in previews.of_open_requests(self.actor, policy)
            ],
        }
        return Response(PreviewOutput(answer).data)

    def _subject(self) -> UseCase | ModelVersion | None:
        given = self.request.query_params
        if "use_case" in given and "model_version" in given:
            raise InvalidInput("Try it on one subject.", errors={"model_version": ["Leave this or use_case out."]})
        found: UseCase | ModelVersion | None = None
        if "use_case" in given:
            number = public_number(given["use_case"], "UC", 4)
            if number is None:
                raise InvalidInput("No such id.", errors={"use_case": ["Give an id such as UC-0001."]})
            found = catalogue.use_cases(self.actor).filter(number=number).first()
        elif "model_version" in given:
            key = _whole(given["model_version"], "model_version")
            found = catalogue.model_versions_in_detail(self.actor).filter(pk=key).first()
        elif "stage" in given:
            raise InvalidInput("A stage of what?", errors={"stage": ["Name a use_case or a model_version with it."]})
        else:
            return None
        if found is None:
            raise NotFound("There is no such use case or model version.")
        return found


def _rule(values: dict[str, Any]) -> Rule:
    return Rule(
        kind=SubjectKind(values["kind"]),
        stage=Stage(values["stage"]),
        tier=RiskRating(values["tier"]),
        approvals=needs_from_json(values["approvals"]),
        days_until_due=values["days_until_due"],
        days_until_expiry=values["days_until_expiry"],
        evidence=tuple(map(EvidenceKind, values["evidence"])),
        metrics=metrics_from_json(values["metrics"]),
        provenance=provenance_from_json(values["provenance"]),
    )


def _changes(policy: PolicyVersion, since: PolicyVersion) -> dict[str, Any]:
    found = previews.changes(policy, since)
    return {"since": since.number, "paths": found.paths, "cells": found.cells, "responses": found.responses}


def _subject_preview(policy: PolicyVersion, subject: UseCase | ModelVersion, request: Request) -> dict[str, Any]:
    found = previews.of_subject(policy, subject, stage_of(subject, request.query_params.get("stage", subject.stage)))
    nothing: dict[str, Any] = {
        "approvals": [],
        "evidence": [],
        "metrics": [],
        "provenance": [],
        "days_until_due": None,
        "days_until_expiry": None,
    }
    return {
        "kind": policies.kind_of(subject),
        "id": subject.public_id if isinstance(subject, UseCase) else str(subject.pk),
        "name": subject.name,
        "stage": found.stage.value,
        "on_path": found.on_path,
        "risk_tier": found.tier.value.value,
        "risk_tier_source": found.tier.source,
        **(nothing if found.needs is None else as_requirements(found.needs)),
        "checks": as_checks(found.checks),
    }


def _whole(given: str, name: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise InvalidInput("No such id.", errors={name: ["Give a whole number."]})
    return int(given)
