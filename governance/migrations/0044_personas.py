"""The roles of people found in accounts: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0043_pipelines"), ("registry", "0026_personas")]

    operations: ClassVar[list] = []
