"""Indexes for the lists that pipelines ask."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0015_tracking")]

    operations: ClassVar[list] = []
