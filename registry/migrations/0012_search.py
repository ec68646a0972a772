"""Search."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.contrib.postgres.search import SearchVector
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0011_use_case_drafts")]

    operations: ClassVar[list] = [
        # A trusted extension: whoever owns the database may create it.
        TrigramExtension(),
        migrations.AddIndex(
            model_name="usecase",
            index=GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="use_case_letters"),
        ),
        migrations.AddIndex(
            model_name="usecase",
            index=GinIndex(SearchVector("name", "description", "intended_purpose", "business_owner", config="english"), name="use_case_words"),
        ),
        migrations.AddIndex(
            model_name="modelgroup",
            index=GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="model_group_letters"),
        ),
        migrations.AddIndex(
            model_name="modelgroup",
            index=GinIndex(SearchVector("name", "description", config="english"), name="model_group_words"),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=GinIndex(SearchVector("description", "purpose", "owner_name", config="english"), name="model_version_words"),
        ),
    ]
