"""AI Act questionnaires."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = []
