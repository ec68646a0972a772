"""AI Act classifications: answers, what they led to, and on whose word the class stands."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

CLASSES = [
    ("unclassified", "Unclassified"),
    ("unacceptable", "Unacceptable"),
    ("high", "High"),
    ("limited", "Limited"),
    ("minimal", "Minimal"),
]
STATES = [
    ("proposed", "Proposed"),
    ("confirmed", "Confirmed"),
    ("declined", "Declined"),
    ("superseded", "Superseded"),
]


def _check(name, condition):
    return migrations.AddConstraint(
        model_name="classification", constraint=models.CheckConstraint(condition=condition, name=name)
    )


def _once(state):
    return migrations.AddConstraint(
        model_name="classification",
        constraint=models.UniqueConstraint(
            condition=Q(("state", state)), fields=("use_case",), name=f"classification_{state}_once"
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Classification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("edition", models.CharField(blank=True, max_length=40)),
                ("answers", models.JSONField(default=dict)),
                ("proposed_class", models.CharField(choices=CLASSES, max_length=20)),
                ("reasons", models.JSONField(default=list)),
                ("flags", models.JSONField(default=list)),
                ("duties", models.JSONField(default=list)),
                ("missing", models.JSONField(default=list)),
                (
                    "operator_roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("is_derogated", models.BooleanField(default=False, verbose_name="exempt by Article 6(3)")),
                ("derogation_reason", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                ("assessed_at", models.DateTimeField(auto_now_add=True)),
                ("state", models.CharField(choices=STATES, default="proposed", max_length=20)),
                ("confirmed_class", models.CharField(blank=True, choices=CLASSES, max_length=20)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "assessor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "use_case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="classifications",
                        to="registry.usecase",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="classification",
            index=models.Index(fields=["use_case", "-assessed_at"], name="classification_history"),
        ),
        _once("confirmed"),
        _once("proposed"),
        _check(
            "classification_words",
            Q(("state__in", [state for state, _ in STATES]), ("proposed_class__in", [word for word, _ in CLASSES])),
        ),
        _check(
            "classification_confirmed_by_somebody",
            Q(
                Q(("state", "confirmed"), _negated=True),
                Q(
                    ("confirmed_class__in", [word for word, _ in CLASSES]),
                    ("decided_at__isnull", False),
                    ("decided_by__isnull", False),
                ),
                _connector="OR",
            ),
        ),
        _check(
            "classification_derogation_reasoned",
            Q(("is_derogated", False), Q(("derogation_reason", ""), _negated=True), _connector="OR"),
        ),
        _check(
            "classification_by_hand_reasoned",
            Q(Q(("edition", ""), _negated=True), Q(("decision_reason", ""), _negated=True), _connector="OR"),
        ),
        _check(
            "classification_declined_reasoned",
            Q(Q(("state", "declined"), _negated=True), Q(("decision_reason", ""), _negated=True), _connector="OR"),
        ),
    ]
