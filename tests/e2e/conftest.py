"""What every journey takes: a portal in the test process, and people at their browsers."""

from __future__ import annotations

from .live import live, person
from .pages import chromium, chromium_process

__all__ = ["chromium", "chromium_process", "live", "person"]
