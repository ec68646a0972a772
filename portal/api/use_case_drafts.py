"""Drafts of use cases: written step by step as the pages' wizard writes them, and registered by the same forms.

A draft holds what was typed, right or wrong. Whether it can be used is asked when it is registered, by the forms that
the pages ask: so a draft begun in the pages is finished over the API, and the other way round.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.use_cases import UseCaseOutput
from governance.services import use_cases
from governance.web.register_forms import DraftForms, typed_data
from portal.core.errors import InvalidInput
from portal.core.filters import Filters
from portal.core.serializers import Input, NoInput, Output, word
from portal.core.viewsets import ROW_ID, Listed, Revised
from registry.choices import DraftStep
from registry.models import UseCaseDraft
from registry.selectors import resources
from registry.selectors import use_case_drafts as selectors
from registry.services import use_case_drafts as drafts

_STEPS = "|".join(step.value for step in DraftStep)
_VALUES = (
    "By field, each a list of texts. `purpose`: name, intended_purpose, project (its key); `people`: description,"
    " business_owner, model_owner (a sign-in name), next_review_on, groups (ids), attributes.<key>; `documents`: the"
    " five parts; `ai-act`: q-<question>, reason, derogation_reason."
)


class ValuesField(serializers.DictField):
    """What was typed in one step, by field."""

    child = serializers.ListField(child=serializers.CharField(max_length=100_000, allow_blank=True), max_length=300)


class StepOutput(Output):
    """What was typed in one step."""

    step = word(DraftStep)
    revision = serializers.IntegerField(help_text="How often it was saved.")
    values = ValuesField(help_text=_VALUES)


class DraftOutput(Output):
    """What you have filled in so far to register a use case; nobody else sees it."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    saved_at = serializers.DateTimeField()
    revision = serializers.IntegerField()


class ProblemOutput(Output):
    """One thing that keeps a draft from being registered."""

    step = word(DraftStep)
    field = serializers.CharField(source="label")
    text = serializers.CharField()


class DraftDetail(DraftOutput):
    """One draft with what was typed, and what still keeps it from being registered."""

    steps = serializers.SerializerMethodField()
    problems = serializers.SerializerMethodField()

    @extend_schema_field(StepOutput(many=True))
    def get_steps(self, draft: UseCaseDraft) -> list[dict[str, Any]]:
        return [
            {"step": step.value, "revision": draft.step_revision(step), "values": self._told(draft.values(step))}
            for step in DraftStep
        ]

    @extend_schema_field(ProblemOutput(many=True))
    def get_problems(self, draft: UseCaseDraft) -> Any:
        return ProblemOutput(DraftForms(self.context["actor"], draft).problems(), many=True).data

    def _told(self, values: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return what was typed with projects and people by the names the API has for them."""
        return {**values, **{name: [_named(self.context["actor"], name, text) for text in values[name]]
                             for name in ("project", "model_owner") if name in values}}  # fmt: skip


class DraftStart(Input):
    """What was typed in the first step."""

    values = ValuesField(help_text=_VALUES)


class StepInput(Input):
    """What was typed in a step: all of it, for what was typed before is replaced."""

    values = ValuesField(help_text=_VALUES)


class DraftFilters(Filters):
    """Filters of the list."""


class UseCaseDrafts(Listed, Revised):
    """Your own drafts, what you saved last first."""

    noun = "draft"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = DraftDetail
    list_serializer_class = DraftOutput
    filterset_class = DraftFilters
    ordering = ("-saved_at",)
    ordering_fields = {"id": "pk", "saved_at": "saved_at", "created_at": "created_at"}
    conditional_actions = frozenset({"step", "register", "destroy"})

    def get_queryset(self) -> QuerySet[UseCaseDraft]:
        return selectors.mine(self.actor)

    @extend_schema(request=DraftStart, responses={201: DraftDetail})
    def create(self, request: Request) -> Response:
        """Begin a draft with what was typed in its first step, right or wrong."""
        typed = self._typed(DraftForms(self.actor, None), DraftStep.PURPOSE, self.read(DraftStart)["values"])
        draft = drafts.start(actor=self.actor, window=secrets.token_hex(8), typed=typed, leaving=True)
        return self.show(draft, 201)

    @extend_schema(
        request=StepInput,
        responses=DraftDetail,
        parameters=[OpenApiParameter("step", str, OpenApiParameter.PATH, enum=[step.value for step in DraftStep])],
    )
    @action(detail=True, methods=["put"], url_path=f"steps/(?P<step>{_STEPS})")
    def step(self, request: Request, **kwargs: Any) -> Response:
        """Keep what was typed in a step, right or wrong; If-Match says on which state of the draft."""
        draft, step = self.get_object(), DraftStep(self.kwargs["step"])
        self.agreed_revision(draft)
        typed = self._typed(DraftForms(self.actor, draft), step, self.read(StepInput)["values"])
        saved = drafts.save(
            actor=self.actor,
            draft_id=draft.pk,
            step=step,
            revision=draft.step_revision(step),
            typed=typed,
            leaving=True,
        )
        return self.show(saved)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Throw a draft away."""
        draft = self.get_object()
        drafts.discard(actor=self.actor, draft_id=draft.pk, revision=self.agreed_revision(draft))
        return Response(status=204)

    @extend_schema(request=NoInput, responses={201: UseCaseOutput})
    @action(detail=True, methods=["post"])
    def register(self, request: Request, **kwargs: Any) -> Response:
        """Register what the draft has grown to, all of it or nothing; the draft is gone afterwards."""
        draft = self.get_object()
        revision = self.agreed_revision(draft)
        self.read(NoInput)
        forms = DraftForms(self.actor, draft)
        errors: dict[str, list[str]] = {}
        for step in DraftStep:
            for name, texts in forms.held(step).errors.items():
                errors.setdefault(name, []).extend(str(text) for text in texts)
        if errors:
            raise InvalidInput("This draft cannot be registered yet.", errors=errors)
        made = use_cases.register_draft(actor=self.actor, draft_id=draft.pk, revision=revision, new=forms.new())
        shown = resources.use_cases_in_detail(self.actor).get(pk=made.pk)
        return Response(UseCaseOutput(shown, context=self.get_serializer_context()).data, status=201)

    def _typed(self, forms: DraftForms, step: DraftStep, values: dict[str, list[str]]) -> dict[str, list[str]]:
        sent = {
            name: [_keyed(self.actor, name, text) for text in texts] if name in ("project", "model_owner") else texts
            for name, texts in values.items()
        }
        typed = forms.typed(step, typed_data(sent))
        if unknown := sorted(set(values) - set(typed)):
            raise InvalidInput(
                "A step keeps its own fields only.",
                errors={f"values.{name[:100]}": ["There is no such field in this step."] for name in unknown},
            )
        return typed


def _keyed(actor: Any, name: str, text: str) -> str:
    """Return the key a form knows something by; what is not known stays what it is, for the form to refuse."""
    if "\x00" in text:
        return text
    found = resources.project_by_key(actor, text) if name == "project" else resources.person_by_name(text)
    return str(found.pk) if found is not None else text


def _named(actor: Any, name: str, text: str) -> str:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return text
    if name == "project":
        return next((one.key for one in resources.projects(actor).filter(pk=int(text))), text)
    return next((one.username for one in resources.people_by_key(int(text))), text)
