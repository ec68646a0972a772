from __future__ import annotations

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_accounts")]

    operations: list[Any] = []
