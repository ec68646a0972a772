from __future__ import annotations

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0020_deployment_orders"), ("registry", "0009_registrations")]

    operations: list[Any] = []
