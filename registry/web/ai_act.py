"""Pages about the AI Act: a use case's class and questionnaire, and what another edition would change."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may
from portal.core.views import UNUSABLE, FormPage, Page, put_back
from portal.core.vocabulary import RiskClass, Stage
from registry.services import classifications

from .. import ai_act
from ..ai_act.engine import ORDER
from ..models import Classification
from ..selectors import classifications as selectors
from .questionnaire import QuestionnaireForm, field_name
from .use_case_tabs import RISK, TABS, InTabs
from .use_cases import OfUseCase

CONFIRM, DECLINE, SHOW = "confirm", "decline", "show"


class DecisionForm(forms.Form):
    """An officer's word on what waits: the class, not laxer than the answers lead to, and the reason."""

    classification = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    risk_class = forms.ChoiceField(label="Class", required=False)
    reason = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed for a stricter class and to send it back. It is kept and shown with the badge.",
    )

    def __init__(self, *args: Any, proposed: RiskClass, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stricter = ORDER[: ORDER.index(proposed) + 1] if proposed in ORDER else ()
        field = self.fields["risk_class"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (word.value, f"{word.label}{', as the answers say' if word is proposed else ', stricter'}")
            for word in reversed(stricter)
        ]
        if not stricter:
            field.widget = forms.HiddenInput()


class UseCaseAiAct(InTabs, FormPage):
    """The class of a use case and what it rests on; an officer decides here on what waits."""

    tab = RISK
    crumb = TABS[RISK][0]

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [*super().breadcrumbs(), {"label": self.crumb, "url": ""}]

    @cached_property
    def history(self) -> list[Classification]:
        return list(selectors.history(self.actor, self.use_case))

    @cached_property
    def waiting(self) -> Classification | None:
        return selectors.waiting(self.history)

    @property
    def here(self) -> str:
        return reverse("registry:use_case_ai_act", args=[self.use_case.number])

    def build(self, data: Any = None) -> BaseForm:
        row = self.waiting
        proposed = RiskClass(row.proposed_class) if row else RiskClass.UNCLASSIFIED
        initial = {"classification": row.pk, "risk_class": proposed.value} if row else {}
        return DecisionForm(data, proposed=proposed, initial=initial)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Whoever may not decide, and whoever read what waits no more, is told so before his input is read.
        read = request.POST.get("classification", "")
        expected = int(read) if re.fullmatch(r"[0-9]{1,18}", read) else None
        classifications.waiting(actor=self.actor, use_case_id=self.use_case.pk, expected=expected)
        return super().post(request, *args, **kwargs)

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        if self.request.POST.get("act") == DECLINE:
            classifications.decline(actor=self.actor, classification_id=given["classification"], reason=given["reason"])
            self.say(f"The answers for {self.use_case.public_id} were sent back.")
            return self.here
        row = classifications.confirm(
            actor=self.actor,
            classification_id=given["classification"],
            risk_class=RiskClass(given["risk_class"]) if given["risk_class"] else None,
            reason=given["reason"],
        )
        self.say(f"{self.use_case.public_id} is classified {RiskClass(row.confirmed_class).label.lower()}.")
        return self.here

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        scope, waiting = self.use_case.scope_project_id, self.waiting
        standing = selectors.standing(self.history)
        is_open = self.use_case.stage != Stage.RETIRED
        may_classify = is_open and may(self.actor, Act.CLASSIFY_USE_CASE, scope)
        return super().get_context_data(
            standing=standing,
            waiting=waiting,
            history=self.history,
            shown=[row for row in (waiting, standing) if row is not None],
            may_answer=is_open and may(self.actor, Act.ASSESS_USE_CASE, scope),
            may_classify=may_classify,
            is_own=waiting is not None and self.actor.user_id in (waiting.assessor_id, self.use_case.registered_by_id),
            current=ai_act.current(),
            disclaimer=ai_act.DISCLAIMER,
            **kwargs,
        )


class UseCaseQuestionnaire(OfUseCase, FormPage):
    """The questionnaire. `act=show` works out what follows from the answers so far and keeps nothing."""

    template_name = "registry/use_case_questionnaire.html"
    needed_act = Act.ASSESS_USE_CASE
    crumb = "AI Act questionnaire"
    fragment = "questionnaire"

    @cached_property
    def edition(self) -> ai_act.Edition:
        given = self.request.POST.get("edition") or self.request.GET.get("edition")
        return selectors.edition(given) if given else ai_act.current()

    @property
    def here(self) -> str:
        return reverse("registry:use_case_questionnaire", args=[self.use_case.number])

    def cancel_url(self) -> str:
        return reverse("registry:use_case_ai_act", args=[self.use_case.number])

    def build(self, data: Any = None) -> BaseForm:
        if data is not None:
            return QuestionnaireForm(data, edition=self.edition)
        rows = list(selectors.history(self.actor, self.use_case))
        # Whoever answers again starts from what was answered last.
        last = selectors.waiting(rows) or next((row for row in rows if row.answers), None)
        initial = {"derogation_reason": last.derogation_reason, "reason": last.reason} if last else {}
        return QuestionnaireForm(edition=self.edition, answers=last.answers if last else {}, initial=initial)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = cast("QuestionnaireForm", self.build(request.POST))
        if request.POST.get("act") == SHOW:
            # Not an attempt to save: nothing is refused before it is.
            return self.render_to_response(self.get_context_data(form=self._as_it_is(form)))
        if form.is_valid():
            try:
                row = self._proposed(form)
            except InvalidInput as refusal:
                errors = {field_name(name): texts for name, texts in refusal.errors.items()}
                put_back(form, InvalidInput(refusal.detail, errors=errors))
            else:
                self._tell(row)
                return HttpResponseRedirect(self.cancel_url())
        return self.show_again(form, UNUSABLE)

    def _as_it_is(self, form: QuestionnaireForm) -> QuestionnaireForm:
        notes = {name: self.request.POST.get(name, "") for name in ("derogation_reason", "reason")}
        return QuestionnaireForm(edition=self.edition, answers=form.usable, initial=notes)

    def _proposed(self, form: QuestionnaireForm) -> Classification:
        return classifications.propose(
            actor=self.actor,
            use_case_id=self.use_case.pk,
            answers=form.answers(),
            edition=self.edition.id,
            reason=form.cleaned_data["reason"],
            derogation_reason=form.cleaned_data["derogation_reason"],
        )

    def _tell(self, row: Classification) -> None:
        public_id, label = self.use_case.public_id, RiskClass(row.proposed_class).label.lower()
        if row.confirmed_class:
            self.say(f"{public_id} is classified {label}.")
        elif row.is_complete:
            self.say(f"The answers lead to {label}. A governance officer confirms it.")
        else:
            count = len(row.missing)
            self.say(f"The answers are kept; {count} question{'' if count == 1 else 's'} still open.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = cast("QuestionnaireForm", context["form"])
        others = [found for found in ai_act.editions() if found.id != self.edition.id]
        return {
            **context,
            "edition": self.edition,
            "others": others,
            "assessment": form.assessment,
            "here": self.here,
            "disclaimer": ai_act.DISCLAIMER,
        }


class AiAct(Page):
    """The editions of the Act, and the use cases for which one changes something."""

    template_name = "registry/ai_act.html"

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "AI Act", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = self.request.GET.get("edition")
        edition = selectors.edition(given) if given else ai_act.current()
        resting = selectors.by_edition(self.actor)
        return super().get_context_data(
            editions=[
                {"edition": found, "resting": resting.get(found.id, 0), "is_shown": found.id == edition.id}
                for found in reversed(ai_act.editions())
            ],
            edition=edition,
            current=ai_act.current(),
            changes=selectors.rerun(self.actor, edition),
            by_hand=resting.get("", 0),
            disclaimer=ai_act.DISCLAIMER,
            **kwargs,
        )
