"""Registering a use case step by step: each step has its address, and what is typed is kept while it is typed."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.errors import InvalidInput, StaleEdit
from portal.core.permissions import Act
from portal.core.views import UNUSABLE, ActionView, Page, wants_fragment
from portal.core.vocabulary import RiskClass
from registry import ai_act
from registry.choices import DraftStep
from registry.models import UseCaseDraft
from registry.selectors import use_case_drafts as selectors
from registry.services import use_case_drafts as drafts
from registry.web.differences import typed_rows
from registry.web.questionnaire import QuestionnaireForm

from ..services import use_cases
from .register_forms import TITLES, DraftForms, PeopleForm, Problem, StepForm, step_of
from .register_words import summary

# What a page says with `go`: keep what is typed, show what follows from it, or keep it and go elsewhere.
KEEP, SHOW, NEXT, BACK, LATER = "keep", "show", "next", "back", "later"
REVIEW = "review"
_STEPS = list(DraftStep)
_WINDOW = re.compile(r"[0-9a-f]{8,32}", re.ASCII)


class OfDraft(Page):
    """A page of the registration; `draft` is None before anything was kept."""

    needs: ClassVar[Act | None] = Act.REGISTER_USE_CASE
    here_label = ""

    @cached_property
    def draft(self) -> UseCaseDraft | None:
        return selectors.draft(self.actor, self.kwargs["pk"]) if "pk" in self.kwargs else None

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Use cases", "url": reverse("registry:use_case_list")},
            {"label": "Register", "url": reverse("governance:use_case_register")},
            {"label": self.here_label, "url": ""},
        ]

    def address(self, step: str) -> str:
        """Return the address of a step; the first one has one before there is a draft."""
        if self.draft is None:
            return reverse("governance:use_case_register")
        if step == REVIEW:
            return reverse("governance:use_case_draft_review", args=[self.draft.pk])
        return reverse("governance:use_case_draft", args=[self.draft.pk, step])

    def steps(self, here: str) -> list[dict[str, Any]]:
        """Return the steps with where one is and which of them were saved."""
        labels = [*((step.value, TITLES[step]) for step in DraftStep), (REVIEW, "Review and register")]
        return [
            {
                "number": number,
                "key": key,
                "label": label,
                "url": self.address(key) if self.draft is not None else "",
                "is_here": key == here,
                "is_saved": self.draft is not None and any(map(any, self.draft.values(key).values())),
            }
            for number, (key, label) in enumerate(labels, 1)
        ]


class StepPage(OfDraft):
    """One step. Whatever is sent is kept first; only going on asks whether it can be used."""

    template_name = "governance/register_step.html"
    fragment = "step"

    @cached_property
    def step(self) -> DraftStep:
        if "step" not in self.kwargs:
            return DraftStep.PURPOSE
        try:
            return DraftStep(self.kwargs["step"])
        except ValueError:
            raise Http404("There is no such step.") from None

    @property
    def here_label(self) -> str:  # type: ignore[override]  # each step has its own
        return TITLES[self.step]

    @cached_property
    def forms(self) -> DraftForms:
        return DraftForms(self.actor, self.draft)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.forms.held(self.step) if "check" in request.GET and self.draft else self.forms.shown(self.step)
        return self.render_to_response(self.get_context_data(form=form))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        go = request.POST.get("go") or NEXT
        try:
            draft = self._kept(leaving=go != KEEP)
        except (StaleEdit, InvalidInput) as refusal:
            return self._not_kept(go, refusal)
        self._now(draft)
        if go == KEEP:
            return self._kept_words(request)
        if go == SHOW:
            return self.render_to_response(self.get_context_data(form=self.forms.shown(self.step)))
        if go == LATER:
            self.say_kept(draft)
            return HttpResponseRedirect(reverse("governance:use_case_register"))
        form = self.forms.held(self.step)
        if go == NEXT and not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=UNUSABLE)
        return HttpResponseRedirect(self.address(self._target(go)))

    def say_kept(self, draft: UseCaseDraft) -> None:
        """Leave word where to find the draft again."""
        messages.success(self.request, f"The draft “{draft}” is kept. You find it here and in My work.")

    def _kept(self, *, leaving: bool) -> UseCaseDraft:
        sent = self.request.POST
        typed, window = self.forms.typed(self.step, sent), self.window
        if self.draft is None:
            return drafts.start(actor=self.actor, window=window, typed=typed, leaving=leaving)
        return drafts.save(
            actor=self.actor,
            draft_id=self.draft.pk,
            step=self.step,
            revision=_number(sent.get("revision", "")),
            typed=typed,
            window=window,
            leaving=leaving,
        )

    @cached_property
    def window(self) -> str:
        """The mark of the page that sent this; a sender without one is a page of its own."""
        sent = self.request.POST.get("window", "")
        return sent if _WINDOW.fullmatch(sent) else secrets.token_hex(8)

    def _now(self, draft: UseCaseDraft) -> None:
        """Go on with the draft as it is saved now."""
        self.draft, self.forms = draft, DraftForms(self.actor, draft)

    def _kept_words(self, request: HttpRequest) -> HttpResponse:
        if not wants_fragment(request):
            return HttpResponseRedirect(self.address(self.step))
        # The same page goes on saving: its mark is the one it came with.
        context = {"window": self.window, "draft": self.draft, **self._state()}
        answer = self.response_class(
            request=request, template=["governance/register_state.html"], context=context, using=self.template_engine
        )
        answer["HX-Replace-Url"] = self.address(self.step)
        return answer

    def _not_kept(self, go: str, refusal: StaleEdit | InvalidInput) -> HttpResponse:
        """Say why nothing was kept; what was typed stays on the page, with both texts when another window was first."""
        sent = self.request.POST
        if go == KEEP and wants_fragment(self.request):
            context = {
                "refusal": refusal.detail,
                "is_stale": isinstance(refusal, StaleEdit),
                "window": self.window,
                "revision": _number(sent.get("revision", "")),
            }
            return self.response_class(
                request=self.request,
                template=["governance/register_state.html"],
                context=context,
                using=self.template_engine,
            )
        form = self.forms.of(self.step, sent)
        if isinstance(refusal, InvalidInput):
            form.add_error(None, refusal.detail)
            return self.render_to_response(self.get_context_data(form=form), status=UNUSABLE)
        if self.draft is None:
            # Begun here and gone on with elsewhere since: there both can be compared.
            raise refusal
        rows = typed_rows(self.forms.held(self.step), form)
        return self.render_to_response(
            self.get_context_data(form=form, overtaken=True, difference=rows), status=refusal.status
        )

    def _target(self, go: str) -> str:
        here = _STEPS.index(self.step)
        if go == BACK:
            return _STEPS[max(here - 1, 0)]
        if go in (*_STEPS, REVIEW):
            return go
        return _STEPS[here + 1] if here + 1 < len(_STEPS) else REVIEW

    def _state(self) -> dict[str, Any]:
        return {"revision": self.draft.step_revision(self.step) if self.draft else 0}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form: StepForm = kwargs["form"]
        own: dict[str, Any] = {}
        if isinstance(form, QuestionnaireForm):
            own = {"edition": form.edition, "assessment": form.assessment, "disclaimer": ai_act.DISCLAIMER}
        if isinstance(form, PeopleForm):
            own = {"attribute_fields": [form[name] for name in form.fields if name.startswith("attributes.")]}
        if self.step is DraftStep.PURPOSE:
            own = {"drafts": [draft for draft in selectors.mine(self.actor)[:10] if draft != self.draft]}
        return super().get_context_data(
            **{
                "draft": self.draft,
                "step": self.step,
                "title": TITLES[self.step],
                "steps": self.steps(self.step),
                "here": self.address(self.step),
                "project": self.forms.project if self.step is DraftStep.PEOPLE else None,
                # A page's own mark: only it overwrites what it saved itself.
                "window": secrets.token_hex(8),
                "is_first": self.step is DraftStep.PURPOSE,
                **self._state(),
                **own,
                **kwargs,
            }
        )


class ReviewPage(OfDraft):
    """Everything that was filled in, what is still wrong with it, and the button that registers it."""

    template_name = "governance/register_review.html"
    here_label = "Review and register"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        assert self.draft is not None
        forms = DraftForms(self.actor, self.draft)
        problems = forms.problems()
        if problems:
            return self._again(UNUSABLE, problems=problems)
        try:
            use_case = use_cases.register_draft(
                actor=self.actor,
                draft_id=self.draft.pk,
                revision=_number(request.POST.get("revision", "")),
                new=forms.new(),
            )
        except StaleEdit as refusal:
            return self._again(refusal.status, overtaken=refusal.detail)
        except InvalidInput as refusal:
            return self._again(UNUSABLE, problems=_refused(forms, refusal))
        self._say(use_case.public_id, use_case.risk_class)
        return HttpResponseRedirect(reverse("registry:use_case", args=[use_case.number]))

    def _say(self, public_id: str, risk_class: str) -> None:
        waits = "" if risk_class != RiskClass.UNCLASSIFIED else " A governance officer classifies its risk meanwhile."
        messages.success(
            self.request,
            f"{public_id} is registered. Write what is missing of its documents, then ask for approval.{waits}",
        )

    def _again(self, status: int, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context), status=status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        assert self.draft is not None
        forms = DraftForms(self.actor, self.draft)
        if "problems" not in kwargs:
            kwargs["problems"] = forms.problems()
        answers = forms.held(DraftStep.AI_ACT)
        assert isinstance(answers, QuestionnaireForm)
        return super().get_context_data(
            **{
                "draft": self.draft,
                "steps": self.steps(REVIEW),
                "sections": summary(forms, self.address),
                "assessment": answers.assessment,
                "is_answered": bool(answers.usable),
                "ai_act_url": self.address(DraftStep.AI_ACT),
                "delete_url": reverse("governance:use_case_draft_delete", args=[self.draft.pk]),
                "disclaimer": ai_act.DISCLAIMER,
                **kwargs,
            }
        )


class DraftDelete(ActionView):
    """Throw a draft away; whoever lost his roles still may."""

    def carry_out(self) -> str:
        draft = drafts.discard(actor=self.actor, draft_id=self.kwargs["pk"])
        self.say(f"The draft “{draft}” is deleted.")
        return reverse("governance:use_case_register")


def _refused(forms: DraftForms, refusal: InvalidInput) -> list[Problem]:
    """Return what a service refused, by step."""
    found = []
    for name, texts in refusal.errors.items():
        step = step_of(name)
        field = f"q-{name.removeprefix('answers.')}" if name.startswith("answers.") else name
        found += [forms.problem(step, field, text) for text in texts]
    return found or [forms.problem(DraftStep.PURPOSE, "", refusal.detail)]


def _number(text: str) -> int:
    """Return a revision as a page sends it; anything else is none that was ever saved."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
