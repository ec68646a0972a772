"""The other half of the pages have no violation that axe can see, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .every_page import look_at
from .live import Live
from .pages import Person

pytestmark = pytest.mark.e2e


def test_the_other_half_of_the_pages_are_accessible_in_light_and_dark(
    live: Live, person: Callable[..., Person]
) -> None:
    look_at(1, live, person)
