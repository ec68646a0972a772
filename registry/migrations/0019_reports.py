"""Reports of Clarify and of model quality, as they were read from S3."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0018_cards")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name='VersionReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('bias', 'Bias report'), ('bias_pre_training', 'Bias report before training'), ('bias_post_training', 'Bias report after training'), ('explainability', 'Explainability report'), ('model_quality', 'Model quality statistics'), ('model_quality_constraints', 'Model quality constraints'), ('data_quality', 'Data quality statistics'), ('data_quality_constraints', 'Data quality constraints'), ('baseline_bias_pre_training', 'Drift baseline: bias report before training'), ('baseline_bias_post_training', 'Drift baseline: bias report after training'), ('baseline_bias_config', 'Drift baseline: bias configuration'), ('baseline_explainability', 'Drift baseline: explainability report'), ('baseline_explainability_config', 'Drift baseline: explainability configuration'), ('baseline_model_quality', 'Drift baseline: model quality statistics'), ('baseline_model_quality_constraints', 'Drift baseline: model quality constraints'), ('baseline_data_quality', 'Drift baseline: data quality statistics'), ('baseline_data_quality_constraints', 'Drift baseline: data quality constraints')], max_length=40)),
                ('address', models.CharField(max_length=1024)),
                ('expected_sha256', models.CharField(blank=True, max_length=64)),
                ('problem', models.CharField(blank=True, choices=[('missing', 'Missing'), ('denied', 'Denied'), ('too_large', 'Too large'), ('truncated', 'Truncated'), ('not_json', 'Not JSON'), ('wrong_type', 'Wrong type'), ('unreachable', 'Unreachable')], max_length=20)),
                ('sentence', models.TextField(blank=True)),
                ('etag', models.CharField(blank=True, max_length=128)),
                ('read_at', models.DateTimeField()),
                ('content', models.JSONField(null=True)),
                ('content_etag', models.CharField(blank=True, max_length=128)),
                ('s3_version_id', models.CharField(blank=True, max_length=1024)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.BigIntegerField(null=True)),
                ('written_at', models.DateTimeField(null=True)),
                ('content_read_at', models.DateTimeField(null=True)),
                ('replaced_at', models.DateTimeField(null=True)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='registry.modelversion')),
            ],
        ),
        migrations.AddIndex(
            model_name='versionreport',
            index=models.Index(condition=models.Q(('problem', ''), _negated=True), fields=['version'], name='version_report_unreadable'),
        ),
        migrations.AddConstraint(
            model_name='versionreport',
            constraint=models.UniqueConstraint(fields=('version', 'kind', 'address'), name='version_report_once'),
        ),
        migrations.AddConstraint(
            model_name='versionreport',
            constraint=models.UniqueConstraint(condition=models.Q(('replaced_at', None)), fields=('version', 'kind'), name='version_report_pointed_at_once'),
        ),
    ]
