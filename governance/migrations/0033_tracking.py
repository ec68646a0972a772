"""MLflow runs in the audit trail."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0032_webhooks"), ("registry", "0015_tracking")]

    operations: ClassVar[list] = []
