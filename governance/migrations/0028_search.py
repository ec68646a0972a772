"""Search."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0027_audit_packs"), ("registry", "0012_search")]

    operations: ClassVar[list] = [
        migrations.AddIndex(
            model_name="evidence",
            index=GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="evidence_letters"),
        ),
        migrations.AddIndex(
            model_name="evidence",
            index=GinIndex(SearchVector("title", "note", "filename", config="english"), name="evidence_words"),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=GinIndex(SearchVector("note", config="english"), name="approval_request_words"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=GinIndex(SearchVector("summary", config="english"), name="finding_words"),
        ),
    ]
