"""Addresses that span both apps."""

from __future__ import annotations

urlpatterns: list = []
