"""What serves requests in each account, and with which versions: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import audited, kept

# An endpoint that is read again and is what it was changes nothing but the moment.
SQL = "\n".join(
    [
        audited("registry_endpoint", quiet="read_at"),
        kept("registry_endpoint"),
        audited("registry_endpointvariant"),
        kept("registry_endpointvariant"),
    ]
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0038_monitoring"), ("registry", "0021_endpoints")]

    operations: ClassVar[list] = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
