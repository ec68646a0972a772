"""Model cards as AWS has them: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0035_told_of_shares"), ("registry", "0018_cards")]

    operations: ClassVar[list] = []
