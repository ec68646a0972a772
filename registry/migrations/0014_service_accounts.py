"""Service accounts: users that only tokens speak for."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0013_page_indexes")]

    operations: ClassVar[list] = []
