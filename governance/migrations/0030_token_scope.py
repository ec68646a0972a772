"""Tokens held to projects; service accounts decide nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0029_page_indexes"), ("registry", "0014_service_accounts")]

    operations: ClassVar[list] = []
