"""Classifications under the trail."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0015_custom_attributes")]

    operations = []
