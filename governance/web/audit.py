"""The audit trail as a page."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portal.core.permissions import Act
from portal.core.views import TablePage

from ..selectors import audit_trail
from .filters import AuditFilter
from .tables import AuditTable


class AuditTrail(TablePage):
    template_name = "governance/audit_trail.html"
    table_class = AuditTable
    filter_class = AuditFilter
    needs = Act.SEE_AUDIT
    per_page = 50

    def rows(self) -> QuerySet[Any]:
        return audit_trail.trail(self.actor)
