"""Pages of evidence: the card on a subject's page, attaching, one piece with its editions, its download."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.errors import NotFound, Unavailable
from portal.core.permissions import Act, require
from portal.core.serializers import public_number
from portal.core.uploads import too_large
from portal.core.views import ActionView, FormPage, Page, SignedIn, TablePage
from registry.models import UseCase

from ..choices import EvidenceKind, EvidenceSource
from ..models import ApprovalRequest, Evidence
from ..selectors import evidence as selectors
from ..selectors import evidence_asked, inbox, pipeline_checks
from ..services import evidence, evidence_checks
from .evidence_forms import AttachForm, WithdrawForm
from .evidence_tables import EvidenceFilter, EvidenceTable
from .panels import OfSubject
from .wording import name_of, request_url, url_of


class EvidenceList(TablePage):
    template_name = "governance/evidence_list.html"
    table_class = EvidenceTable
    filter_class = EvidenceFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.evidence(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No evidence yet",
            "text": "Attach reports on the page of a use case or a model version. Whoever decides there reads them.",
            "icon": "paperclip",
        }


class EvidenceCard(OfSubject):
    """What stands for a subject, what the policy asks for where it is, and what stood before."""

    template_name = "governance/evidence_card.html"
    part = "Evidence"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = list(selectors.everything_about(self.actor, self.subject))
        return super().get_context_data(
            standing=[row for row in rows if row.is_standing],
            earlier=[row for row in rows if not row.is_standing],
            asked=evidence_asked.asked_for(self.subject),
            refusal=evidence.attaching_refusal(self.actor, self.subject),
            attach_url=self.address("attach"),
            **kwargs,
        )


class RequestEvidence(Page):
    """What a request for approval is bound to, for whoever decides: also what was superseded or withdrawn since."""

    template_name = "governance/request_evidence.html"
    fragment = "slot"

    @cached_property
    def asked(self) -> ApprovalRequest:
        return inbox.request(self.actor, self.kwargs["pk"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Approvals", "url": reverse("governance:queue")},
            {"label": self.asked.public_id, "url": request_url(self.asked)},
            {"label": "Evidence", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = selectors.asked_about(self.actor, self.asked)
        return super().get_context_data(
            asked=self.asked,
            rows=rows,
            checks=pipeline_checks.checks_of_request(self.actor, self.asked),
            back_url=request_url(self.asked),
            **kwargs,
        )


class Attach(OfSubject, FormPage):
    """Attach a file or an object in S3, also as the next edition of what is there."""

    template_name = "governance/evidence_attach.html"
    form_class = AttachForm
    submit_label = "Attach it"
    part = "Attach evidence"
    fragment = ""

    @cached_property
    def earlier(self) -> Evidence | None:
        given = self.request.GET.get("supersedes", "")
        if not given:
            return None
        number = public_number(given, "EV", 6)
        found = selectors.one(self.actor, number) if number is not None else None
        if found is None or found.subject != self.subject:
            raise NotFound("There is no such evidence here.")
        return found

    def build(self, data: Any = None) -> BaseForm:
        require(self.actor, Act.ATTACH_EVIDENCE, self.subject.scope_project_id)
        sent = data is not None
        return AttachForm(
            data,
            self.request.FILES if sent else None,
            kind=EvidenceKind(self.earlier.kind) if self.earlier else None,
            oversize=sent and too_large(self.request.META),
            initial={"title": self.earlier.title if self.earlier else "", "kind": self.request.GET.get("kind", "")},
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except Unavailable as refusal:
            form = self.build(request.POST)
            form.add_error(None, refusal.detail)
            return self.show_again(form, refusal.status)

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        common = {
            "actor": self.actor,
            "subject_type": type(self.subject),
            "subject_id": self.subject.pk,
            "kind": EvidenceKind(given["kind"]),
            "title": given["title"],
            "note": given["note"],
            "supersedes": self.earlier.pk if self.earlier else None,
        }
        if given["file"] is not None:
            row = evidence.attach_upload(**common, file=given["file"])
        else:
            row = evidence.attach_s3(
                **common, uri=given["s3_uri"], version_id=given["s3_version_id"], etag=given["s3_etag"]
            )
        self.say(f"{row.public_id} {row.title} is attached.")
        return f"{url_of(self.subject)}#evidence"

    def cancel_url(self) -> str:
        return f"{url_of(self.subject)}#evidence"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(
            earlier=self.earlier,
            refusal=evidence.attaching_refusal(self.actor, self.subject),
            asked=evidence_asked.asked_for(self.subject),
            **kwargs,
        )
        given = context["form"].errors.keys() | {name for name in ("s3_uri",) if context["form"][name].value()}
        return {**context, "opens_s3": bool(given & {"s3_uri", "s3_version_id", "s3_etag"})}


class OfEvidence(Page):
    """A page about one piece of evidence."""

    part = ""

    @cached_property
    def row(self) -> Evidence:
        return selectors.one(self.actor, self.kwargs["pk"])

    @property
    def url(self) -> str:
        return reverse("governance:evidence", args=[self.row.pk])

    def breadcrumbs(self) -> list[dict[str, str]]:
        path = [{"label": name_of(self.row.subject), "url": f"{url_of(self.row.subject)}#evidence"}]
        path.append({"label": self.row.public_id, "url": self.url if self.part else ""})
        return [*path, {"label": self.part, "url": ""}] if self.part else path

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            row=self.row, about=name_of(self.row.subject), about_url=url_of(self.row.subject), **kwargs
        )


class EvidencePage(OfEvidence):
    """One piece of evidence: what pins it, its editions, and what was decided on it."""

    template_name = "governance/evidence.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.row
        kind = "use_case" if isinstance(row.subject, UseCase) else "version"
        key = row.subject.number if isinstance(row.subject, UseCase) else row.subject.pk
        may_change = not evidence.attaching_refusal(self.actor, row.subject)
        editions = selectors.editions_of(self.actor, row)
        return super().get_context_data(
            editions=editions,
            latest=editions[0],
            decisions=selectors.decisions_on(row),
            is_file=row.source == EvidenceSource.UPLOAD,
            may_follow=may_change and row.superseded_at is None,
            may_withdraw=may_change and row.withdrawn_at is None,
            attach_url=f"{reverse(f'governance:{kind}_attach', args=[key])}?supersedes={row.public_id}",
            **kwargs,
        )


class Withdraw(OfEvidence, FormPage):
    """Say that a piece of evidence counts no more."""

    template_name = "governance/evidence_withdraw.html"
    form_class = WithdrawForm
    submit_label = "Withdraw it"
    part = "Withdraw"

    def build(self, data: Any = None) -> BaseForm:
        require(self.actor, Act.ATTACH_EVIDENCE, self.row.scope_project_id)
        return super().build(data)

    def carry_out(self, form: BaseForm) -> str:
        row = evidence.withdraw(actor=self.actor, evidence_id=self.row.pk, reason=form.cleaned_data["reason"])
        self.say(f"{row.public_id} is withdrawn.")
        return self.url

    def cancel_url(self) -> str:
        return self.url


class Content(SignedIn, View):
    """Download a file that is still what was attached; never shown in place."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> FileResponse:
        row, file = evidence_checks.open_for_download(actor=self.actor, evidence_id=self.kwargs["pk"])
        return attachment(file, filename=row.filename, content_type=row.content_type, size=row.size)


class Check(ActionView):
    """Look again at what is stored."""

    def carry_out(self) -> str:
        row = evidence_checks.check_one(actor=self.actor, evidence_id=self.kwargs["pk"])
        where = "The stored file" if row.source == EvidenceSource.UPLOAD else "The object in S3"
        self.say(f"{where} is what was attached as {row.public_id}.")
        return reverse("governance:evidence", args=[row.pk])
