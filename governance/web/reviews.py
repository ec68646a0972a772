"""Reviews of use cases: what is due, and the pages that plan one or record what it found."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.errors import StaleEdit, WrongState
from portal.core.permissions import Act, may, may_anywhere
from portal.core.tables import PortalTable, absent, name_cell
from portal.core.templatetags.portal_ui import badge, person, reltime, risk_badge, status_badge
from portal.core.views import FormPage, TablePage
from portal.core.vocabulary import Stage
from registry.choices import ReviewDue
from registry.models import UseCase
from registry.services.use_cases import is_review_overdue
from registry.web.filters import UseCaseFilter
from registry.web.forms import DAY
from registry.web.use_cases import OfUseCase

from ..selectors import use_case_reviews as selectors
from ..services import use_case_reviews

_LEADS = {
    ReviewDue.OVERDUE: "Overdue",
    ReviewDue.SOON: "Within 30 days",
    ReviewDue.LATER: "Later",
    ReviewDue.NO_DATE: "Not planned",
}


class ReviewTable(PortalTable):
    """Use cases by the date of their next review; `actor` sees the buttons that are his."""

    label = "Reviews"
    next_review_on = tables.Column("Next review", order_by=("next_review_on", "number"), empty_values=())
    name = tables.Column("Use case", order_by=("name", "pk"))
    stage = tables.Column("Stage", order_by=("stage", "status", "pk"))
    risk_class = tables.Column("Risk", order_by=("risk_class", "pk"))
    project = tables.Column("Project", accessor="project__name", order_by=("project__name", "pk"))
    model_owner = tables.Column("Model owner", order_by=("model_owner__display_name", "pk"), empty_values=())
    last_reviewed_on = tables.Column("Last review", order_by=("last_reviewed_on", "pk"), empty_values=())
    acts = tables.Column("What to do", accessor="pk", orderable=False, exclude_from_export=True)

    def __init__(self, *args: Any, page: ReviewList, **kwargs: Any) -> None:
        self.page_of = page
        super().__init__(*args, **kwargs)

    def render_next_review_on(self, record: UseCase) -> SafeString:
        if record.next_review_on is None:
            return absent("not planned")
        overdue = badge("Overdue", "bad", "calendar-due") if is_review_overdue(record) else ""
        return format_html('<span class="cell-pair">{} {}</span>', reltime(record.next_review_on), overdue)

    def render_name(self, record: UseCase) -> SafeString:
        return name_cell(record.name, reverse("registry:use_case", args=[record.number]), record.public_id)

    def render_stage(self, record: UseCase) -> SafeString:
        stage = Stage(record.stage)
        return format_html('<span class="cell-pair">{} {}</span>', stage.label, status_badge(record.status))

    def render_risk_class(self, record: UseCase) -> SafeString:
        return risk_badge(record.risk_class, record.risk_reason)

    def render_model_owner(self, record: UseCase) -> SafeString:
        return person(record.model_owner) if record.model_owner else absent("not named")

    def render_last_reviewed_on(self, record: Any) -> SafeString:
        return reltime(record.last_reviewed_on, "never reviewed")

    def render_acts(self, record: UseCase) -> SafeString:
        actor = self.page_of.actor
        shown = []
        if may(actor, Act.REVIEW_USE_CASE, record.project_id):
            shown.append(("use_case_review", "Record", "btn btn-sm"))
        if may(actor, Act.EDIT_USE_CASE, record.project_id):
            shown.append(("use_case_review_plan", "Plan", "btn btn-sm btn-link"))
        return SafeString(
            " ".join(
                format_html(
                    '<a class="{}" href="{}">{}<span class="visually-hidden"> a review of {}</span></a>',
                    css,
                    reverse(f"governance:{name}", args=[record.number]),
                    word,
                    record.public_id,
                )
                for name, word, css in shown
            )
        )


class ReviewList(TablePage):
    """Use cases by the date of their next review."""

    template_name = "governance/review_list.html"
    table_class = ReviewTable
    filter_class = UseCaseFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.by_next_review(self.actor)

    def table_arguments(self) -> dict[str, Any]:
        return {"page": self}

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No use case is in service",
            "text": "Once one is registered, the date of its next review is planned and kept here.",
            "icon": "calendar",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = selectors.counts(self.actor)
        here = reverse("governance:review_list")
        return super().get_context_data(
            leads=[
                {
                    "label": label,
                    "count": found[word],
                    "url": f"{here}?review={word.value}",
                    "active": self.request.GET.get("review") == word.value,
                }
                for word, label in _LEADS.items()
            ],
            all_url=here,
            is_all=not self.request.GET.get("review"),
            may_plan=may_anywhere(self.actor, Act.EDIT_USE_CASE),
            **kwargs,
        )


class ReviewForm(forms.Form):
    """What a review found, and when the next one is due."""

    reviewed_on = forms.DateField(label="Reviewed on", widget=DAY, input_formats=["%Y-%m-%d"])
    note = forms.CharField(
        label="What was found",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What was looked at, what has changed, and what follows from it. It is kept and never edited.",
    )
    next_review_on = forms.DateField(label="Next review", widget=DAY, input_formats=["%Y-%m-%d"])
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class PlanForm(forms.Form):
    """When the next review is due; a reason where one that is overdue is put off."""

    next_review_on = forms.DateField(
        label="Next review",
        required=False,
        widget=DAY,
        input_formats=["%Y-%m-%d"],
        help_text="Left empty, none is planned.",
    )
    reason = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, overdue: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "The review is overdue: say why it is put off." if overdue else "Kept in the history."
        self.fields["reason"].required, self.fields["reason"].help_text = overdue, words


class _ReviewPage(OfUseCase, FormPage):
    """A form about the reviews of one use case, beside what earlier ones found."""

    template_name = "governance/review_form.html"
    heading: ClassVar[str] = ""

    def cancel_url(self) -> str:
        return self.url

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.use_case.stage == Stage.RETIRED:
            raise WrongState(f"{self.use_case.public_id} is retired and is not reviewed any more.")
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except StaleEdit as refusal:
            # What was typed stays; what it is about is shown as it is now, and may be sent again.
            sent = request.POST.copy()
            sent["revision"] = str(self.use_case.revision)
            return self.show_again(self.build(sent), refusal.status, overtaken=refusal.detail)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            heading=self.heading, reviews=selectors.of_use_case(self.use_case)[:20], **kwargs
        )


class UseCaseReviewRecord(_ReviewPage):
    """Record what a review found; it ends the finding that it was overdue."""

    form_class = ReviewForm
    needed_act = Act.REVIEW_USE_CASE
    crumb = heading = "Record a review"
    submit_label = "Record the review"

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"reviewed_on": timezone.localdate(), "revision": self.use_case.revision}}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        row = use_case_reviews.record(
            actor=self.actor,
            use_case_id=self.use_case.pk,
            revision=given["revision"],
            reviewed_on=given["reviewed_on"],
            note=given["note"],
            next_review_on=given["next_review_on"],
        )
        self.say(f"The review of {self.use_case.public_id} is recorded. The next one is due on {row.next_review_on}.")
        return self.url


class UseCaseReviewPlan(_ReviewPage):
    """Say when a use case is to be reviewed next."""

    form_class = PlanForm
    needed_act = Act.EDIT_USE_CASE
    crumb = heading = "Plan the next review"
    submit_label = "Plan it"

    def form_arguments(self) -> dict[str, Any]:
        use_case = self.use_case
        initial = {"next_review_on": use_case.next_review_on, "revision": use_case.revision}
        return {"initial": initial, "overdue": is_review_overdue(use_case)}

    def carry_out(self, form: BaseForm) -> str:
        given = cast("PlanForm", form).cleaned_data
        use_case = use_case_reviews.plan(
            actor=self.actor,
            use_case_id=self.use_case.pk,
            revision=given["revision"],
            next_review_on=given["next_review_on"],
            reason=given["reason"],
        )
        day = use_case.next_review_on
        self.say(f"{use_case.public_id} is to be reviewed on {day}." if day else "No review is planned any more.")
        return self.url
