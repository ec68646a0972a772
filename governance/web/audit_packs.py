"""Pages of audit packs: asking for one with what would be in it, how far it is, taking it away, checking it."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may, may_anywhere, require_anywhere
from portal.core.progress import Progress, ProgressState, progress_response
from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, person, reltime, status_badge
from portal.core.views import UNUSABLE, ActionView, FormPage, Page, SignedIn, TablePage, put_back
from registry.web.filters import choice, search

from ..choices import PackScope, PackState
from ..models import AuditPack
from ..selectors import packs as selectors
from ..selectors.pack_parts import LABELS
from ..services.audit_pack import building, packs, verify
from .audit_pack_forms import PackForm
from .list_filters import number_in

VERIFIER = Path(verify.__file__)
_STATES = {
    PackState.WAITING: ProgressState.WAITING,
    PackState.BUILDING: ProgressState.RUNNING,
    PackState.FAILED: ProgressState.FAILED,
}


class PackTable(PortalTable):
    label = "Audit packs"
    about = tables.Column("Pack", accessor="pk", order_by=("pk",))
    requested_by = tables.Column("Asked for by", order_by=("requested_by__display_name", "pk"))
    requested_at = tables.Column("Asked", order_by=("requested_at", "pk"))
    state = tables.Column("State", order_by=("state", "pk"))
    as_of_entry = tables.Column("As of entry", order_by=("as_of_entry", "pk"), empty_values=())
    size = tables.Column("Size", order_by=("size", "pk"), empty_values=())
    expires_at = tables.Column("Kept until", order_by=("expires_at", "pk"), empty_values=())

    def render_about(self, record: AuditPack) -> SafeString:
        return name_cell(building.scope_words(record), pack_url(record), record.public_id)

    def value_about(self, record: AuditPack) -> str:
        return f"{record.public_id} {building.scope_words(record)}"

    def render_requested_by(self, record: AuditPack) -> SafeString:
        return person(record.requested_by)

    def render_requested_at(self, record: AuditPack) -> SafeString:
        return reltime(record.requested_at)

    def render_state(self, record: AuditPack) -> SafeString:
        return state_badges(record)

    def render_as_of_entry(self, record: AuditPack) -> SafeString:
        if record.as_of_at is None:
            return absent("not built")
        return two(f"{record.as_of_entry or 0:,}", reltime(record.as_of_at))

    def render_size(self, record: AuditPack) -> SafeString | str:
        return filesizeformat(record.size) if record.size else absent("not built")

    def render_expires_at(self, record: AuditPack) -> SafeString:
        if record.removed_at is not None:
            return two(absent("gone"), reltime(record.removed_at))
        return reltime(record.expires_at, "not built")


class PackFilter(filters.FilterSet):
    q = search("Use case, who asked, PACK-000001")
    state = choice(PackState, "State", "state", "Any state")
    scope = choice(PackScope, "About", "scope", "Anything")

    class Meta:
        model = AuditPack
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = (
            Q(use_case__name__icontains=value)
            | Q(project__name__icontains=value)
            | Q(requested_by__display_name__icontains=value)
            | Q(requested_by__username__icontains=value)
        )
        number = number_in(value, "PACK-")
        return rows.filter(condition if number is None else condition | Q(pk=number))


class PackList(TablePage):
    template_name = "governance/pack_list.html"
    table_class = PackTable
    filter_class = PackFilter
    needs = Act.SEE_AUDIT

    def rows(self) -> QuerySet[Any]:
        return selectors.packs(self.actor)

    def nothing(self) -> dict[str, str]:
        words = {
            "title": "No audit pack yet",
            "text": "A pack holds everything about a use case or a period, signed, to be checked without the portal.",
            "icon": "package",
        }
        if may_anywhere(self.actor, Act.BUILD_PACK):
            words |= {"action_label": "Build a pack", "action_url": reverse("governance:pack_new")}
        return words

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_build=may_anywhere(self.actor, Act.BUILD_PACK), **kwargs)


class PackNew(FormPage):
    """Choose what a pack is about, see what would be in it, and have it built."""

    template_name = "governance/pack_new.html"
    form_class = PackForm
    needs = Act.BUILD_PACK
    submit_label = "Build the pack"

    def form_arguments(self) -> dict[str, Any]:
        return {"actor": self.actor}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Audit packs", "url": reverse("governance:pack_list")},
            {"label": "Build a pack", "url": ""},
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "scope" not in request.GET:
            form = PackForm(actor=self.actor, initial={"use_case": request.GET.get("use_case", "")})
            return self.render_to_response(self.get_context_data(form=form))
        form = PackForm(request.GET, actor=self.actor)
        preview = None
        if form.is_valid():
            try:
                preview = packs.preview(actor=self.actor, wanted=form.wanted())
            except InvalidInput as refusal:
                put_back(form, refusal)
        status = UNUSABLE if preview is None else 200
        return self.render_to_response(self.get_context_data(form=form, preview=preview), status=status)

    def carry_out(self, form: Any) -> str:
        pack = packs.request_pack(actor=self.actor, wanted=form.wanted())
        self.say(f"{pack.public_id} is being built.")
        return pack_url(pack)

    def cancel_url(self) -> str:
        return reverse("governance:pack_list")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(suggested=selectors.suggested_use_cases(self.actor), **kwargs)
        preview = context.get("preview")
        if preview is not None:
            asked = context["form"]
            context["counts"] = [(LABELS[name], count) for name, count in preview.counts.items() if count]
            context["asked"] = [(name, asked.data.get(name, "")) for name in asked.fields]
        return context


class OfPack(Page):
    """A page about one pack."""

    needs = Act.SEE_AUDIT

    @cached_property
    def pack(self) -> AuditPack:
        return selectors.pack(self.actor, self.kwargs["pk"])


class PackPage(OfPack):
    """One pack: how far it is, what is in it and what is not, how to check it, and who took it away."""

    template_name = "governance/pack.html"

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Audit packs", "url": reverse("governance:pack_list")},
            {"label": self.pack.public_id, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pack = self.pack
        scope = building.scope_words(pack)
        counts = {**LABELS, "entries": "Entries of the audit trail", "files": "Files of evidence"}
        return super().get_context_data(
            pack=pack,
            scope=scope,
            state=state_badges(pack),
            progress=progress_of(pack),
            progress_url=reverse("governance:pack_progress", args=[pack.pk]),
            is_ready=pack.state == PackState.READY,
            is_over=pack.state in (PackState.EXPIRED, PackState.REMOVED),
            counts=[(label, pack.contents[name]) for name, label in counts.items() if pack.contents.get(name)],
            problems=pack.verdict.splitlines(),
            downloads=selectors.downloads(pack)[:50],
            may_remove=may(self.actor, Act.BUILD_PACK, pack.scope_project_id),
            commands=commands_for(pack),
            keys_url=f"{settings.PORTAL_PUBLIC_URL}{reverse('api-gate-keys')}",
            **kwargs,
        )


class PackProgress(OfPack):
    """How far the build is, asked for by the page again and again."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return progress_response(
            request, progress_of(self.pack), reverse("governance:pack_progress", args=[self.pack.pk])
        )


class PackFile(SignedIn, View):
    """Take a pack away; that it was taken is written down first."""

    http_method_names = ["get", "head", "options"]
    needs = Act.SEE_AUDIT

    def get(self, request: HttpRequest, pk: int) -> FileResponse:
        pack, file = packs.open_for_download(actor=self.actor, pack_id=pk)
        answer = attachment(file, filename=pack.filename, content_type="application/zip", size=pack.size or 0)
        answer.headers["Repr-Digest"] = f"sha-256=:{_base64(pack.sha256)}:"
        return answer


class PackRemove(ActionView):
    """Remove a pack's file for good."""

    needs = Act.SEE_AUDIT

    def carry_out(self) -> str:
        pack = packs.remove(actor=self.actor, pack_id=self.kwargs["pk"])
        self.say(f"The file of {pack.public_id} is removed. Who took it before stays known.")
        return pack_url(pack)


class PackVerifier(SignedIn, View):
    """The verifier, from the portal instead of from the pack that is to be checked."""

    http_method_names = ["get", "head", "options"]
    needs = Act.SEE_AUDIT

    def get(self, request: HttpRequest) -> FileResponse:
        require_anywhere(self.actor, Act.SEE_AUDIT)
        content = VERIFIER.read_bytes()
        return attachment(BytesIO(content), filename="verify.py", content_type="text/x-python", size=len(content))


def pack_url(pack: AuditPack) -> str:
    """Return the address of a pack's page."""
    return reverse("governance:pack", args=[pack.pk])


def state_badges(pack: AuditPack) -> SafeString:
    """Return how far a pack has come, and whether what is in it holds and is whole."""
    shown = status_badge(pack.state, "pack")
    if pack.is_sound is False:
        return two(shown, badge("Not everything holds", "bad", "alert-octagon"))
    return two(shown, badge("Something is left out", "warn", "alert-triangle")) if pack.left_out else shown


def progress_of(pack: AuditPack) -> Progress:
    """Return how far a pack has come, as the component for long work shows it."""
    step = building.STEPS[pack.step - 1] if 0 < pack.step <= len(building.STEPS) else ""
    return Progress(
        state=_STATES.get(PackState(pack.state), ProgressState.DONE),
        label=f"Building {pack.public_id}",
        step=f"Step {pack.step} of {len(building.STEPS)}: {step}" if step else "",
        done=pack.done,
        total=pack.total,
        unit="pieces of evidence" if pack.total else "",
        asked_at=pack.requested_at,
        started_at=pack.started_at,
        finished_at=pack.finished_at,
        problem=pack.problem,
        result_url=pack_url(pack) if pack.state == PackState.READY else "",
        result_label="Open the pack",
    )


def commands_for(pack: AuditPack) -> str:
    """Return the lines that check a pack on any machine."""
    return (
        "python -m pip install cryptography\n"
        f"python verify.py {pack.filename} \\\n"
        f"  --sha256 {pack.sha256} \\\n"
        f"  --key-id {pack.key_id}"
    )


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()
