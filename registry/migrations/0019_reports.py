"""Reports of Clarify and of model quality, as they were read from S3."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0018_cards")]

    operations: ClassVar[list] = []
