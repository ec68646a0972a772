"""Service accounts: users that only tokens speak for; and the grants of a user in one answer of the database."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")

# A function keeps its plan for as long as the connection lives: planning the union costs ten times what it takes to
# run. A role held everywhere has no object; what is shown by name is a permission to view one use case or one group;
# `keeps` names a service user that the person keeps or kept.
GRANTS = """
CREATE FUNCTION registry_grants(person bigint) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
  RETURN (
    WITH circle AS (SELECT group_id FROM registry_user_groups WHERE user_id = person),
    granted AS (
      SELECT g.permission_id, NULL::bigint AS object_id FROM registry_user_user_permissions g WHERE g.user_id = person
      UNION ALL
      SELECT g.permission_id, NULL FROM auth_group_permissions g JOIN circle USING (group_id)
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_projectuserobjectpermission g WHERE g.user_id = person
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_projectgroupobjectpermission g
        JOIN circle USING (group_id)
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_usecaseuserobjectpermission g WHERE g.user_id = person
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_usecasegroupobjectpermission g
        JOIN circle USING (group_id)
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_modelgroupuserobjectpermission g
       WHERE g.user_id = person
      UNION ALL
      SELECT g.permission_id, g.content_object_id FROM registry_modelgroupgroupobjectpermission g
        JOIN circle USING (group_id)
    ), named AS (
      SELECT p.codename::text AS codename, granted.object_id FROM granted
        JOIN auth_permission p ON p.id = granted.permission_id
        JOIN django_content_type t ON t.id = p.content_type_id
       WHERE t.app_label = 'registry'
         AND (t.model = 'project' AND starts_with(p.codename, 'role_')
              OR p.codename IN ('view_usecase', 'view_modelgroup'))
      UNION ALL
      SELECT 'keeps', k.account_id FROM registry_servicekeeper k WHERE k.person_id = person
    )
    SELECT coalesce(json_agg(json_build_array(codename, object_id)), '[]') FROM named
  );
END $$;
"""


def _to_user(**more: object) -> models.Field:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL, **{"related_name": "+", **more}
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0013_page_indexes")]

    operations: ClassVar[list] = [
        migrations.AddField("user", "is_service", models.BooleanField(db_default=False, default=False, editable=False)),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=Q(is_service=False) | Q(is_staff=False, is_superuser=False, password__startswith="!"),
                name="user_service_has_no_password",
            ),
        ),
        migrations.CreateModel(
            name="ServiceAccount",
            fields=[
                ("id", ID.clone()),
                ("purpose", models.TextField()),
                ("made_by", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("retired_at", models.DateTimeField(null=True)),
                ("retired_by", models.CharField(blank=True, max_length=200)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("responsible", _to_user()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_account",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=~Q(purpose=""), name="service_account_has_a_purpose"),
                    models.CheckConstraint(
                        condition=Q(retired_at=None, retired_by="") | (Q(retired_at__isnull=False) & ~Q(retired_by="")),
                        name="service_account_retired_as_a_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceKeeper",
            fields=[
                ("id", ID.clone()),
                (
                    "since",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("account", _to_user(related_name="keepers")),
                ("person", _to_user(related_name="kept_accounts")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "person"), name="service_keeper_once")],
            },
        ),
        migrations.RunSQL(GRANTS, "DROP FUNCTION registry_grants(bigint)"),
    ]
