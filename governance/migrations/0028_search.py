"""Search."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0027_audit_packs")]

    operations: ClassVar[list] = []
