"""Statements that Django composes once in a process and not each time, for what is asked many times a second.

Putting a query of the ORM together costs several times what PostgreSQL needs to answer it by a key. What is kept is the
text, with the places of its parameters; rows become the same instances, through the same converters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, connection, models
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)
_populators: Any = get_related_populators
# Stand in a composed statement where its parameters belong; nothing has such a key or such a name.
_NUMBER = 7_310_442_598_663_013_000
_WORD = "\x01parameter\x01"


@dataclass(frozen=True)
class _Composed:
    sql: str
    parameters: tuple[Any, ...]
    model: type[models.Model]
    names: tuple[str, ...]
    start: int
    end: int
    populators: tuple[Any, ...]
    converted: Callable[[Iterable[Any]], Iterable[Any]]
    locks: bool


class Kept(Generic[M]):
    """A query for rows of a model whose text is always the same: `make` returns it for some parameters.

    `kinds` are the types of its parameters, `int` for keys (of 64 bits) and `str`. It may lock, order, limit, defer and
    select related rows; it may not prefetch, annotate, or depend on anything but its parameters.
    """

    def __init__(self, make: Callable[..., models.QuerySet[M]], *kinds: type[int | str]) -> None:
        self._make, self._kinds = make, kinds
        self._composed: _Composed | None = None

    def all(self, *values: int | str) -> list[M]:
        """Return the rows for these parameters. Raises django.db errors, as the query would."""
        made = self._composed or self._compose()
        if made.locks and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        given = [value.value if isinstance(value, Enum) else value for value in values]
        with connection.cursor() as cursor:
            cursor.execute(made.sql, [_filled(one, given) for one in made.parameters])
            rows = cursor.fetchall()
        found: list[Any] = []
        for row in made.converted(rows):
            instance = made.model.from_db(connection.alias, made.names, row[made.start : made.end])
            for populator in made.populators:
                populator.populate(row, instance)
            found.append(instance)
        return found

    def first(self, *values: int | str) -> M | None:
        """Return the first row, None without one."""
        return next(iter(self.all(*values)), None)

    def get(self, *values: int | str) -> M:
        """Return the one row. Raises the model's DoesNotExist."""
        found = self.first(*values)
        if found is None:
            missing: Any = (self._composed or self._compose()).model
            raise missing.DoesNotExist(f"{missing._meta.object_name} matching query does not exist.")
        return found

    def _compose(self) -> _Composed:
        places = [_NUMBER + place if kind is int else f"{_WORD}{place}" for place, kind in enumerate(self._kinds)]
        query = self._make(*places).query
        compiler = query.get_compiler(connection=connection)
        text, parameters = compiler.as_sql()
        # The statement outlives this thread's connection; its converters ask for whichever is current.
        compiler.connection = connection
        info = compiler.klass_info
        columns = compiler.select[info["select_fields"][0] : info["select_fields"][-1] + 1]
        converters = compiler.get_converters([column[0] for column in compiler.select])
        self._composed = _Composed(
            sql=text,
            parameters=tuple(_placed(one, places) for one in parameters),
            model=info["model"],
            names=tuple(column[0].target.attname for column in columns),
            start=info["select_fields"][0],
            end=info["select_fields"][-1] + 1,
            populators=tuple(_populators(info, compiler.select, connection.alias)),
            converted=lambda rows: compiler.apply_converters(rows, converters) if converters else rows,
            locks=query.select_for_update,
        )
        return self._composed


@dataclass(frozen=True)
class _Place:
    number: int


def _placed(parameter: Any, places: list[Any]) -> Any:
    if isinstance(parameter, list | tuple):
        return [_placed(one, places) for one in parameter]
    return _Place(places.index(parameter)) if parameter in places else parameter


def _filled(parameter: Any, values: list[Any]) -> Any:
    if isinstance(parameter, list):
        return [_filled(one, values) for one in parameter]
    return values[parameter.number] if isinstance(parameter, _Place) else parameter


def insert(row: M, *, ignore_conflicts: bool = False) -> M:
    """Insert a new row by a statement that was composed once, and give it its key, as `save(force_insert=True)` does.

    For tables with an automatic key. One that conflicts with a row that is there can be ignored; the row then gets no
    key, inserted or not. Raises what the database refuses, as django.db errors.
    """
    fields, statement = _insertion(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection=connection) for field in fields]
    if any(hasattr(value, "resolve_expression") for value in values):
        # A default of the database's is part of the text.
        type(row)._default_manager.bulk_create([row], ignore_conflicts=ignore_conflicts)
        return row
    with connection.cursor() as cursor:
        if ignore_conflicts:
            cursor.execute(f"{statement} ON CONFLICT DO NOTHING", values)
            return row
        cursor.execute(f"{statement} RETURNING {_quoted(row._meta.pk.column)}", values)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - documented for exactly this
    return row


def update(row: models.Model, *names: str) -> None:
    """Write these fields of a row, as `save(update_fields=names)` does, by a statement that was composed once.

    Raises DatabaseError when the row is gone, and what the database refuses.
    """
    fields, statement = _change(type(row), names)
    values = [field.get_db_prep_save(field.pre_save(row, add=False), connection=connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError("Save with update_fields did not affect any rows.")


def hold(row: models.Model, name: str, found: models.QuerySet[Any], rows: list[Any]) -> None:
    """Have a row know the related rows behind `name`, as if they had been prefetched by the query `found`."""
    found._result_cache, found._prefetch_done = rows, True  # type: ignore[attr-defined]  # noqa: SLF001 - as prefetching does
    held = row.__dict__.setdefault("_prefetched_objects_cache", {})
    held[name] = found


@lru_cache(maxsize=256)
def _insertion(model: type[models.Model]) -> tuple[tuple[Any, ...], str]:
    key = model._meta.pk
    fields = tuple(field for field in model._meta.concrete_fields if field is not key and not field.generated)
    columns = ", ".join(_quoted(field.column) for field in fields)
    places = ", ".join(map(_place_of, fields))
    return fields, f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 - a model's


@lru_cache(maxsize=256)
def _change(model: type[models.Model], names: tuple[str, ...]) -> tuple[tuple[Any, ...], str]:
    fields: tuple[Any, ...] = tuple(model._meta.get_field(name) for name in names)
    wanted = ", ".join(f"{_quoted(field.column)} = {_place_of(field)}" for field in fields)
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    return fields, f"UPDATE {table} SET {wanted} WHERE {key} = %s"  # noqa: S608 - names of a model's


def _place_of(field: Any) -> str:
    place: str = field.get_placeholder(None, None, connection) if hasattr(field, "get_placeholder") else "%s"
    return place


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(str(name))
