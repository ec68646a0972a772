"""Custom attributes of records."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_history")]

    operations = []
