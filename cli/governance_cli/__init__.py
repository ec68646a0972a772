"""The Model Governance Portal from a terminal or a pipeline: a small client of its REST API."""

from __future__ import annotations
