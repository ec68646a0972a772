"""What a pass shows while it runs, and where whoever takes it up goes on."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_modifier")]

    operations = [
        migrations.AlterField(
            model_name="syncrun",
            name="kind",
            field=models.CharField(
                choices=[("full", "Full"), ("incremental", "Incremental"), ("events", "Events"), ("shares", "Shares")],
                max_length=20,
            ),
        ),
        migrations.AddField(model_name="syncrun", name="progress_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="syncrun", name="since", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="syncrun", name="resumed", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(model_name="syncrun", name="groups", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="syncrun", name="groups_done", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(
            model_name="syncrun", name="after", field=models.CharField(blank=True, max_length=2048)
        ),
        migrations.AddField(model_name="syncrun", name="absent", field=models.JSONField(default=list)),
        migrations.AddField(model_name="syncrun", name="lag_seconds", field=models.FloatField(null=True)),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["account", "region", "kind", "-started_at"], name="sync_run_newest"),
        ),
    ]
