"""Whether the ledger still leads to where everything stands: asked for by a button, since it reads all of it."""

from __future__ import annotations

from typing import Any

from portal.core.permissions import Act
from portal.core.views import Page

from ..selectors.replay import replay


class LedgerCheck(Page):
    template_name = "governance/ledger_check.html"
    needs = Act.SEE_AUDIT

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = replay(self.actor) if self.request.GET.get("run") == "1" else None
        return super().get_context_data(told=told, **kwargs)
