from __future__ import annotations

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_registry_events")]

    operations: list[Any] = []
