"""The one error of this package: something on this machine has to change before the portal can start."""

from __future__ import annotations


class LocalError(Exception):
    """Say what is wrong on this machine and what to do about it; shown without a traceback."""
