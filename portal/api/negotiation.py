"""Which representation is sent: `?format=` or the Accept header; an unknown format is named, not guessed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation

from portal.core.errors import InvalidInput
from portal.core.filters import FORMAT


class ContentNegotiation(DefaultContentNegotiation):
    """DRF's negotiation with 400 for a format there is not."""

    def filter_renderers(self, renderers: Iterable[Any], format: str) -> list[Any]:  # noqa: A002 - DRF's name
        chosen = [renderer for renderer in renderers if renderer.format == format]
        if not chosen:
            known = ", ".join(dict.fromkeys(renderer.format for renderer in renderers))
            raise InvalidInput("No such format.", errors={FORMAT: [f"Use one of {known}."]})
        return chosen
