"""Serializers that are used again: nothing of one body, its errors or its context is left for the next."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from portal.core.redis_cache import RedisCache
from portal.core.serializers import Input, Output, read_by, shown_by


class _Part(Input):
    name = serializers.CharField(max_length=3)


class _Whole(Input):
    parts = _Part(many=True)
    note = serializers.CharField(required=False, default="none")
    who = serializers.SerializerMethodField()

    def get_who(self, row: Any) -> str:
        return str(self.context["actor"])


class _Nested(Output):
    name = serializers.CharField()
    inner = serializers.SerializerMethodField()
    who = serializers.SerializerMethodField()

    def get_inner(self, row: dict[str, Any]) -> dict[str, Any] | None:
        return shown_by(_Nested, row["inner"], {"actor": "inner"}) if row.get("inner") else None

    def get_who(self, row: Any) -> str:
        return str(self.context.get("actor", "nobody"))


def test_each_body_is_read_for_itself() -> None:
    assert read_by(_Whole, {"parts": [{"name": "a"}], "note": "x"}, {}) == {"parts": [{"name": "a"}], "note": "x"}
    assert read_by(_Whole, {"parts": []}, {}) == {"parts": [], "note": "none"}


def test_a_refusal_is_forgotten() -> None:
    with pytest.raises(serializers.ValidationError) as refused:
        read_by(_Whole, {"parts": [{"name": "long"}], "more": 1}, {})
    assert set(refused.value.detail) == {"more"}
    with pytest.raises(serializers.ValidationError) as refused:
        read_by(_Whole, {"parts": [{"name": "long"}]}, {})
    assert set(refused.value.detail) == {"parts"}
    assert read_by(_Whole, {"parts": [{"name": "b"}]}, {})["parts"] == [{"name": "b"}]


def test_a_part_of_a_body_is_read_only_where_that_is_asked() -> None:
    assert read_by(_Whole, {}, {}, partial=True) == {}
    with pytest.raises(serializers.ValidationError):
        read_by(_Whole, {}, {})


def test_what_is_shown_within_itself_has_its_own_context() -> None:
    row = {"name": "outer", "inner": {"name": "inner"}}
    shown = shown_by(_Nested, row, {"actor": "outer"})
    assert shown == {"name": "outer", "inner": {"name": "inner", "inner": None, "who": "inner"}, "who": "outer"}
    assert shown_by(_Nested, {"name": "later"})["who"] == "nobody"


def test_one_client_serves_a_pool() -> None:
    cache = RedisCache("redis://127.0.0.1:1/0", {})
    client = cache._cache.get_client(write=True)
    assert cache._cache.get_client("key") is client
