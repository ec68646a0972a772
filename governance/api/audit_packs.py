"""Audit packs: asked for with what would be in them, watched while they are built, taken away, removed."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.downloads import AnyFile, attachment
from portal.core.errors import InvalidInput
from portal.core.filters import Filters, exactly, one_of, use_case_filter
from portal.core.permissions import Act, require_anywhere
from portal.core.serializers import Input, NoInput, Output, public_number, text, word
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.organisation import LineField
from registry.api.serializers import ProjectField, username

from ..choices import PackScope, PackState
from ..models import AuditPack
from ..selectors import packs as selectors
from ..selectors.pack_scope import Wanted
from ..services.audit_pack import building, packs, verify

VERIFIER = Path(verify.__file__)


class LeftOut(Output):
    """One thing that could not be put into a pack."""

    what = serializers.CharField()
    why = serializers.CharField()


class DownloadOutput(Output):
    """One time somebody took a pack away."""

    by = serializers.CharField(source="person_name")
    at = serializers.DateTimeField()


class PackOutput(Output):
    """One archive of everything about a use case or a period, as of one moment; the row stays when its file is gone."""

    id = serializers.CharField(source="public_id")
    scope = word(PackScope)
    about = serializers.SerializerMethodField(help_text="In plain words.")
    use_case = serializers.CharField(source="use_case.public_id", allow_null=True, default=None)
    project = serializers.CharField(source="project.key", allow_null=True, default=None)
    line_of_business = serializers.CharField(source="line_of_business.name", allow_null=True, default=None)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    requested_by = username("requested_by")
    requested_at = serializers.DateTimeField()
    state = word(PackState)
    step = serializers.IntegerField(help_text="The step being built, counted from 1; 0: none yet.")
    steps = serializers.SerializerMethodField()
    step_words = serializers.SerializerMethodField()
    done = serializers.IntegerField(allow_null=True, help_text="Of `total`, how far the step has come.")
    total = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField(help_text="Why it could not be built.")
    filename = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the archive, hexadecimal; empty: not built.")
    size = serializers.IntegerField(allow_null=True, help_text="Of the archive, in bytes.")
    key_id = serializers.CharField(help_text="The key its manifest is signed with, as `gate/keys/` names it.")
    as_of_entry = serializers.IntegerField(allow_null=True, help_text="The newest entry of the audit trail it knows.")
    as_of_at = serializers.DateTimeField(allow_null=True)
    is_sound = serializers.BooleanField(allow_null=True, help_text="Whether its own verifier found it sound.")
    expires_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)

    def get_about(self, pack: AuditPack) -> str:
        return building.scope_words(pack)

    def get_steps(self, pack: AuditPack) -> int:
        return len(building.STEPS)

    def get_step_words(self, pack: AuditPack) -> str:
        return building.STEPS[pack.step - 1] if 0 < pack.step <= len(building.STEPS) else ""


class PackDetail(PackOutput):
    """One pack with what is in it, what is not, what its verifier said, and who took it away."""

    contents = serializers.DictField(child=serializers.IntegerField(), help_text="How many of what are in it.")
    left_out = LeftOut(many=True)
    verdict = serializers.CharField()
    downloads = serializers.SerializerMethodField()

    @extend_schema_field(DownloadOutput(many=True))
    def get_downloads(self, pack: AuditPack) -> Any:
        return DownloadOutput(selectors.downloads(pack)[:50], many=True).data


class PackInput(Input):
    """What a pack is to be about: one use case, or the days of a period, perhaps of one project or line of business."""

    scope = word(PackScope)
    use_case = text(max_length=30, help_text="Such as UC-0001; for `use_case`.")
    starts_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="For `period`; in UTC.")
    ends_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="The last day, included.")
    project = ProjectField(required=False, allow_null=True, default=None)
    line_of_business = LineField(required=False, allow_null=True, default=None)


class PackPreviewOutput(Output):
    """What a pack would hold now, of what you may see."""

    counts = serializers.DictField(child=serializers.IntegerField())
    entries = serializers.IntegerField(help_text="Entries of the audit trail.")
    files = serializers.IntegerField(help_text="Files of evidence.")
    evidence_bytes = serializers.IntegerField()
    evidence_limit = serializers.IntegerField(help_text="Evidence beyond it would be named instead of copied.")
    hidden_versions = serializers.IntegerField(help_text="Versions of the use case that you may not see.")
    refusal = serializers.CharField(help_text="Why it cannot be built, empty when it can.")


class PackFilters(Filters):
    """Filters of the list."""

    state = one_of(PackState, "state")
    scope = one_of(PackScope, "scope")
    use_case = use_case_filter("use_case__number")
    project = exactly("project__key", "The key of a project.")
    requested_by = exactly("requested_by__username", "A sign-in name.")


class AuditPacks(ByPublicId, Listed, Detailed):
    """Audit packs."""

    noun = "audit pack"
    problem_statuses = (403,)
    lookup_field = "pk"
    public_id_prefix = "PACK"
    lookup_value_regex = r"PACK-[0-9]{1,18}"
    id_example = "PACK-000001"
    serializer_class = PackDetail
    list_serializer_class = PackOutput
    filterset_class = PackFilters
    search_fields = ("use_case__name", "project__name", "requested_by__username")
    ordering_fields = {"id": "pk", "requested_at": "requested_at", "state": "state"}

    def get_queryset(self) -> QuerySet[AuditPack]:
        return selectors.packs(self.actor)

    @extend_schema(request=PackInput, responses={202: PackDetail})
    def create(self, request: Request) -> Response:
        """Have a worker build a pack; the same one that is still to come is answered again."""
        return self.show(packs.request_pack(actor=self.actor, wanted=self._wanted()), 202)

    @extend_schema(request=PackInput, responses=PackPreviewOutput)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Say what a pack would hold now; nothing is built."""
        return Response(PackPreviewOutput(packs.preview(actor=self.actor, wanted=self._wanted())).data)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], renderer_classes=(AnyFile,), problem_statuses=(403, 409, 503))
    def file(self, request: Request, **kwargs: Any) -> FileResponse:
        """Take a pack away; that it was taken is written down first, and its bytes are compared with its SHA-256."""
        pack, file = packs.open_for_download(actor=self.actor, pack_id=self.get_object().pk)
        answer = attachment(file, filename=pack.filename, content_type="application/zip", size=pack.size or 0)
        answer.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(pack.sha256)).decode()}:"
        return answer

    @extend_schema(request=NoInput, responses={200: PackDetail})
    @action(detail=True, methods=["post"], problem_statuses=(403, 503))
    def remove(self, request: Request, **kwargs: Any) -> Response:
        """Remove a pack's file for good; that there was one, and who took it, stays known."""
        pack = self.get_object()
        self.read(NoInput)
        return self.show(packs.remove(actor=self.actor, pack_id=pack.pk))

    @extend_schema(responses={(200, "text/x-python"): OpenApiTypes.BINARY})
    @action(detail=False, methods=["get"], renderer_classes=(AnyFile,), pagination_class=None, filter_backends=[])
    def verifier(self, request: Request) -> FileResponse:
        """Download the verifier from the portal, instead of from the pack that is to be checked."""
        require_anywhere(self.actor, Act.SEE_AUDIT)
        content = VERIFIER.read_bytes()
        return attachment(BytesIO(content), filename="verify.py", content_type="text/x-python", size=len(content))

    def _wanted(self) -> Wanted:
        require_anywhere(self.actor, Act.BUILD_PACK)
        given = self.read(PackInput)
        about_use_case = given["scope"] == PackScope.USE_CASE
        others = ("starts_on", "ends_on", "project", "line_of_business") if about_use_case else ("use_case",)
        if surplus := [name for name in others if given[name]]:
            words = "This belongs to the other scope."
            raise InvalidInput("Some fields need your attention.", errors={name: [words] for name in surplus})
        if about_use_case:
            return Wanted(PackScope.USE_CASE, use_case_id=self._use_case(given["use_case"]))
        project, line = given["project"], given["line_of_business"]
        return Wanted(
            PackScope.PERIOD,
            project_id=project.pk if project else None,
            line_of_business_id=line.pk if line else None,
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
        )

    def _use_case(self, given: str) -> int:
        number = public_number(given, "UC", 4)
        found = selectors.use_case_numbered(self.actor, number) if number is not None else None
        if found is None:
            raise InvalidInput(
                "There is no such use case.", errors={"use_case": ["There is no such use case. Give an id as UC-0001."]}
            )
        return found.pk
