"""The API's world for what tokens and service accounts may do in it."""

from __future__ import annotations

from tests.api.conftest import aws_answers, shared_world, world

__all__ = ["aws_answers", "shared_world", "world"]
