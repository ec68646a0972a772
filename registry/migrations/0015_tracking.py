"""MLflow tracking servers, and the runs that versions come from."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0014_service_accounts")]

    operations: ClassVar[list] = []
