"""Reports of Clarify and of model quality, as they were read from S3: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0036_cards"), ("registry", "0019_reports")]

    operations: ClassVar[list] = []
