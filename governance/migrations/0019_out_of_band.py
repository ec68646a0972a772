"""What a policy says about changes made outside the portal, decisions adopted from there, and what was done about each.

An answer to a change is written once and never edited; a decision is adopted only as the person's own.
"""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from governance.choices import Agreement, DecisionSource, OutsideOutcome, OutsideResponse
from governance.migrations._audited import append_only, audited

ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
RESPONSES = ["report", "adopt", "write_back"]


def _to(model: str, *, null: bool = False) -> models.ForeignKey:
    return models.ForeignKey(null=null, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=model)


def _response() -> models.CharField:
    return models.CharField(choices=OutsideResponse.choices(), default="report", max_length=20)


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0018_outbox"),
        ("registry", "0009_registrations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("policyversion", "on_outside_approval", _response()),
        migrations.AddField("policyversion", "on_outside_rejection", _response()),
        migrations.AddConstraint(
            "policyversion",
            models.CheckConstraint(
                condition=models.Q(("on_outside_approval__in", RESPONSES), ("on_outside_rejection__in", RESPONSES)),
                name="policy_version_outside_responses",
            ),
        ),
        migrations.AddField(
            "decision",
            "source",
            models.CharField(choices=DecisionSource.choices(), default="portal", max_length=20),
        ),
        migrations.AddField(
            "decision",
            "aws_principal",
            models.CharField(blank=True, default="", max_length=2048),
            preserve_default=False,
        ),
        migrations.AddField("decision", "aws_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(("aws_at__isnull", True), ("aws_principal", ""), ("source", "portal"))
                | (
                    models.Q(("aws_at__isnull", False), ("on_behalf_of__isnull", True), ("source", "adopted"))
                    & ~models.Q(("aws_principal", ""))
                ),
                name="decision_adopted_of_ones_own",
            ),
        ),
        migrations.CreateModel(
            name="OutsideChange",
            fields=[
                ID,
                ("aws_modified_at", models.DateTimeField()),
                ("verdict", models.CharField(choices=Agreement.choices(), max_length=20)),
                ("aws_said", models.CharField(max_length=200)),
                ("aws_description", models.TextField(blank=True)),
                ("portal_said", models.CharField(max_length=200)),
                ("principal", models.CharField(blank=True, max_length=2048)),
                ("response", models.CharField(choices=OutsideResponse.choices(), max_length=20)),
                ("outcome", models.CharField(choices=OutsideOutcome.choices(), max_length=20)),
                ("reason", models.TextField(blank=True)),
                ("is_war", models.BooleanField(default=False)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("decision", _to("governance.decision", null=True)),
                ("message", _to("governance.outboxmessage", null=True)),
                ("person", _to(settings.AUTH_USER_MODEL, null=True)),
                ("policy", _to("governance.policyversion")),
                ("version", _to("registry.modelversion")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "aws_modified_at"), name="outside_change_answered_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision__isnull", False), ("message__isnull", True), ("outcome", "adopted")),
                            models.Q(
                                ("decision__isnull", True), ("message__isnull", False), ("outcome", "written_back")
                            ),
                            models.Q(("decision__isnull", True), ("message__isnull", True), ("outcome", "reported")),
                            _connector="OR",
                        ),
                        name="outside_change_outcome_has_its_row",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "reported"),
                            models.Q(("outcome", "adopted"), ("response", "adopt")),
                            models.Q(("outcome", "written_back"), ("response", "write_back")),
                            _connector="OR",
                        ),
                        name="outside_change_as_the_policy_asks",
                    ),
                ],
            },
        ),
        migrations.RunSQL(audited("governance_outsidechange") + append_only("governance_outsidechange")),
    ]
