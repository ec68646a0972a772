"""How versions were trained, shown: it is what AWS said, and nobody writes it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, console

from ..models import LabelingJob, TrainingProvenance


@admin.register(TrainingProvenance, site=console)
class TrainingProvenanceAdmin(RecordAdmin):
    list_display = ("version", "job_name", "status", "algorithm", "network_isolation", "licence", "problem", "read_at")
    list_filter = ("status", "network_isolation", "source")
    list_select_related = ("version__group",)
    search_fields = ("job_name", "version__group__name")
    ordering = ("-pk",)

    def object_links(self, row: TrainingProvenance) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:version_training", args=[row.version_id]))]


@admin.register(LabelingJob, site=console)
class LabelingJobAdmin(RecordAdmin):
    list_display = (
        "name",
        "account",
        "region",
        "status",
        "total",
        "human",
        "machine",
        "failed",
        "unlabeled",
        "read_at",
    )
    list_filter = ("status", "account")
    list_select_related = ("account",)
    search_fields = ("name",)
    ordering = ("-pk",)
