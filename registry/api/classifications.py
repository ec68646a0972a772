"""The AI Act over the API: the class of a use case by its answers, the editions, and what another would change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.conditional import agreed_mark, revision_tag
from portal.core.errors import InvalidInput
from portal.core.serializers import LONGEST_TEXT, Input, Output, text, word
from portal.core.viewsets import Detailed, PortalView

from .. import ai_act
from ..choices import ClassificationState, RiskClass, Stage, Status
from ..models import UseCase
from ..selectors import classifications as selectors
from ..services import classifications, use_cases
from ..services.classified import mark_of
from .serializers import username

EDITION_ID = r"[0-9a-z-]{1,40}"


class ClassReasonOutput(Output):
    """Why: an article and plain words; `risk_class` is "" for a remark."""

    rule = serializers.CharField()
    article = serializers.CharField()
    text = serializers.CharField()
    risk_class = serializers.CharField()


class ClassFlagOutput(Output):
    """Something to know beside the class."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    article = serializers.CharField()
    text = serializers.CharField()


class DutyOutput(Output):
    """What is to be done, in which role, from when."""

    key = serializers.CharField()
    role = serializers.CharField()
    article = serializers.CharField()
    text = serializers.CharField()
    applies_from = serializers.DateField()


class MissingOutput(Output):
    """A question that is still open."""

    question = serializers.CharField()
    text = serializers.CharField()
    article = serializers.CharField()
    is_unsure = serializers.BooleanField()


class ClassificationOutput(Output):
    """One classification; `edition` is "" for a class set by hand."""

    id = serializers.IntegerField(source="pk")
    state = word(ClassificationState)
    edition = serializers.CharField()
    proposed_class = word(RiskClass)
    confirmed_class = serializers.ChoiceField(choices=[("", "Not confirmed"), *RiskClass.choices()])
    answers = serializers.DictField(child=serializers.JSONField())
    reasons = ClassReasonOutput(many=True)
    flags = ClassFlagOutput(many=True)
    duties = DutyOutput(many=True)
    missing = MissingOutput(many=True)
    operator_roles = serializers.ListField(child=serializers.CharField())
    is_derogated = serializers.BooleanField()
    derogation_reason = serializers.CharField()
    reason = serializers.CharField()
    assessor = username("assessor")
    assessed_at = serializers.DateTimeField()
    decided_by = username("decided_by")
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()


class UseCaseClassifications(Output):
    """The class of a use case, the classification it rests on, the one that waits, and all there were, newest first."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    stage = word(Stage)
    status = word(Status)
    risk_class = word(RiskClass)
    risk_reason = serializers.CharField()
    risk_classified_by = username("risk_classified_by")
    risk_classified_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    current = ClassificationOutput(allow_null=True)
    waiting = ClassificationOutput(allow_null=True)
    history = ClassificationOutput(many=True)
    disclaimer = serializers.CharField()


class ClassificationInput(Input):
    """Answers to the questionnaire of an edition, or a class by hand with its reason."""

    answers = serializers.JSONField(
        required=False,
        help_text="By question: yes, no, an option, unsure, or a list of these where several may be chosen.",
    )
    edition = serializers.CharField(required=False, max_length=40, help_text="The current one unless sent.")
    derogation_reason = text(help_text="Why a system of Annex III is not high-risk (Art. 6(3) and (4)).")
    risk_class = word(RiskClass, required=False)
    reason = text()


class ConfirmInput(Input):
    """Confirm what waits, as it is or as a stricter class with a reason."""

    classification = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The one that was read; refused if another waits."
    )
    risk_class = word(RiskClass, required=False)
    reason = text()


class DeclineInput(Input):
    """Send back what waits."""

    classification = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The one that was read; refused if another waits."
    )
    reason = serializers.CharField(max_length=LONGEST_TEXT)


class Classified(Detailed):
    """Use cases with a class under the AI Act."""

    @extend_schema(responses=UseCaseClassifications)
    @action(detail=True, methods=["get"], is_conditional=True)
    def classification(self, request: Request, **kwargs: Any) -> Response:
        """Read the class, what it rests on, what waits for an officer, and everything before."""
        return self._classifications(self.get_object())

    @extend_schema(request=ClassificationInput, responses=UseCaseClassifications)
    @classification.mapping.put
    def classify(self, request: Request, **kwargs: Any) -> Response:
        """Answer the questionnaire, which an officer confirms; or, as an officer, set the class by hand."""
        use_case = self.get_object()
        about: dict[str, Any] = {"actor": self.actor, "use_case_id": use_case.pk}
        about["read_mark"] = agreed_mark(self.request, "classification", mark_of(use_case))
        values = self.read(ClassificationInput)
        if ("answers" in values) == ("risk_class" in values):
            raise InvalidInput(
                "Send either answers or a class.",
                errors={"answers": ["Send answers to the questionnaire, or risk_class with its reason."]},
            )
        if "answers" in values:
            classifications.propose(
                **about,
                answers=values["answers"],
                edition=values.get("edition"),
                reason=values["reason"],
                derogation_reason=values["derogation_reason"],
            )
        else:
            if "edition" in values or values["derogation_reason"]:
                raise InvalidInput(
                    "A class by hand rests on no edition.", errors={"risk_class": ["Send answers with an edition."]}
                )
            use_cases.classify(**about, risk_class=RiskClass(values["risk_class"]), reason=values["reason"])
        return self._classifications(self.get_object())

    @extend_schema(request=ConfirmInput, responses=UseCaseClassifications)
    @action(detail=True, methods=["post"], url_path="classification/confirm")
    def confirm_classification(self, request: Request, **kwargs: Any) -> Response:
        """Confirm the classification that waits, on the word of an officer who did not answer."""
        use_case = self.get_object()
        values = self.read(ConfirmInput)
        classifications.confirm(
            actor=self.actor,
            classification_id=self._waiting(use_case, values),
            risk_class=RiskClass(values["risk_class"]) if "risk_class" in values else None,
            reason=values["reason"],
        )
        return self._classifications(self.get_object())

    @extend_schema(request=DeclineInput, responses=UseCaseClassifications)
    @action(detail=True, methods=["post"], url_path="classification/decline")
    def decline_classification(self, request: Request, **kwargs: Any) -> Response:
        """Send the classification that waits back with a reason; the class stays as it is."""
        use_case = self.get_object()
        values = self.read(DeclineInput)
        classifications.decline(
            actor=self.actor, classification_id=self._waiting(use_case, values), reason=values["reason"]
        )
        return self._classifications(self.get_object())

    def _waiting(self, use_case: UseCase, values: dict[str, Any]) -> int:
        expected = values.get("classification")
        return int(classifications.waiting(actor=self.actor, use_case_id=use_case.pk, expected=expected).pk)

    def _classifications(self, use_case: UseCase) -> Response:
        rows = list(selectors.history(self.actor, use_case))
        shown: Any = use_case
        shown.current, shown.waiting, shown.history = selectors.standing(rows), selectors.waiting(rows), rows
        shown.disclaimer = ai_act.DISCLAIMER
        data = UseCaseClassifications(shown, context=self.get_serializer_context()).data
        return Response(data, headers={"ETag": revision_tag(use_case.revision, mark_of(use_case))})


class SourceOutput(Output):
    """Where an edition comes from, and when somebody last looked."""

    citation = serializers.CharField()
    url = serializers.CharField()
    checked_on = serializers.DateField()
    note = serializers.CharField()


class AppliesOutput(Output):
    """A day from which something applies."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    on = serializers.DateField()
    article = serializers.CharField()


class EditionOutput(Output):
    """One state of the AI Act as the portal asks about it."""

    id = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    status = serializers.CharField()
    is_current = serializers.BooleanField()
    extends = serializers.CharField()
    adopted_on = serializers.DateField()
    published_on = serializers.DateField(allow_null=True)
    in_force_on = serializers.DateField(allow_null=True)
    sources = SourceOutput(many=True)
    dates = AppliesOutput(many=True)


class EditionList(Output):
    """The editions, earliest first, and the one asked by default."""

    current = serializers.CharField()
    disclaimer = serializers.CharField()
    results = EditionOutput(many=True)


def _shown(edition: ai_act.Edition) -> dict[str, Any]:
    dates = [
        {"key": key, "label": applies.label, "on": applies.on, "article": applies.article}
        for key, applies in edition.dates.items()
    ]
    fields = ("id", "title", "summary", "status", "extends", "adopted_on", "published_on", "in_force_on", "sources")
    is_current = edition.id == ai_act.current().id
    return {**{name: getattr(edition, name) for name in fields}, "dates": dates, "is_current": is_current}


class Editions(PortalView):
    """The editions of the AI Act."""

    @extend_schema(operation_id="ai_act_editions_list", responses=EditionList)
    def get(self, request: Request) -> Response:
        """List the editions with their dates and sources."""
        results = [_shown(edition) for edition in ai_act.editions()]
        content = {"current": ai_act.current().id, "disclaimer": ai_act.DISCLAIMER, "results": results}
        return Response(EditionList(content).data)


class OptionOutput(Output):
    """An answer on offer."""

    value = serializers.CharField(source="key")
    text = serializers.CharField()
    article = serializers.CharField()


class QuestionOutput(Output):
    """One question; asked when its conditions hold for the answers given before."""

    key = serializers.CharField(source="question.key")
    type = serializers.CharField(source="question.type", help_text="yes_no, single or multi.")
    text = serializers.CharField(source="question.text")
    help = serializers.CharField(source="question.help")
    article = serializers.CharField(source="question.article")
    is_asked_first = serializers.BooleanField(source="is_asked", help_text="Asked whatever the answers are.")
    options = OptionOutput(many=True)


class SectionOutput(Output):
    """A part of the questionnaire."""

    key = serializers.CharField(source="section.key")
    title = serializers.CharField(source="section.title")
    lead = serializers.CharField(source="section.lead")
    questions = QuestionOutput(many=True)


class QuestionnaireOutput(Output):
    """Everything an edition asks, in order."""

    edition = EditionOutput()
    disclaimer = serializers.CharField()
    sections = SectionOutput(many=True)


class Questionnaire(PortalView):
    """What an edition asks."""

    @extend_schema(
        operation_id="ai_act_questionnaire_retrieve",
        parameters=[OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="Such as 2026-1744.")],
        responses=QuestionnaireOutput,
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Read the questions of an edition, with their articles and the answers on offer."""
        edition = selectors.edition(kwargs["id"])
        content = {
            "edition": _shown(edition),
            "disclaimer": ai_act.DISCLAIMER,
            "sections": ai_act.questionnaire(edition),
        }
        return Response(QuestionnaireOutput(content).data)


class DutyChangeOutput(Output):
    """A duty whose day differs; null where there is none."""

    duty = serializers.CharField()
    article = serializers.CharField()
    text = serializers.CharField()
    before = serializers.DateField(allow_null=True)
    after = serializers.DateField(allow_null=True)


class ChangeOutput(Output):
    """What the edition makes of the answers a use case was classified by."""

    use_case = serializers.CharField(source="use_case.public_id")
    name = serializers.CharField(source="use_case.name")
    classification = serializers.IntegerField(source="classification.pk")
    edition_before = serializers.CharField(source="classification.edition")
    class_before = word(RiskClass)
    class_after = word(RiskClass, help_text="Unclassified while the edition asks what nobody answered.")
    class_so_far = word(RiskClass, source="so_far")
    is_class_changed = serializers.BooleanField()
    duties = DutyChangeOutput(many=True)
    unanswered = MissingOutput(many=True)
    flags_gained = ClassFlagOutput(many=True)
    flags_lost = serializers.ListField(child=serializers.CharField())


class RerunOutput(Output):
    """The use cases that an edition changes, and how many hold no answers because their class was set by hand."""

    edition = serializers.CharField()
    by_hand = serializers.IntegerField()
    results = ChangeOutput(many=True)


class Rerun(PortalView):
    """What another edition would change."""

    query_parameters = ("edition",)
    problem_statuses = (404,)

    @extend_schema(
        operation_id="ai_act_rerun_retrieve",
        parameters=[
            OpenApiParameter(
                "edition", OpenApiTypes.STR, description="The id of an edition; the current one unless sent."
            )
        ],
        responses=RerunOutput,
    )
    def get(self, request: Request) -> Response:
        """Read the use cases whose class, duties or open questions differ under an edition; changes nothing."""
        edition = selectors.edition(request.query_params.get("edition") or ai_act.current().id)
        content = {
            "edition": edition.id,
            "by_hand": selectors.by_hand(self.actor),
            "results": selectors.rerun(self.actor, edition),
        }
        return Response(RerunOutput(content).data)
