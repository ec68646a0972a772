"""Model cards as AWS has them."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0017_readings")]

    operations: ClassVar[list] = []
