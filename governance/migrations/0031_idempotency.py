"""Answers kept for Idempotency-Key."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0030_token_scope")]

    operations: ClassVar[list] = []
