"""Webhooks, their deliveries and attempts."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0031_idempotency")]

    operations: ClassVar[list] = []
