"""Approvals."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("governance", "0007_entitled"), ("registry", "0003_custom_attributes")]

    operations = []
