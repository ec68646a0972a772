"""Ways around the services, and what they could try to change."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

UPDATES = (
    "queryset_update",
    "save",
    "save_update_fields",
    "bulk_update",
    "sql_update",
    "sql_update_as_replica",
    "sql_upsert",
    "sql_merge",
)
INSERTS = ("create", "bulk_create", "sql_insert", "sql_insert_as_replica")


class Attempt(NamedTuple):
    """One governed column of one table, a value it must not get, and the way to try."""

    table: str
    column: str
    value: str
    path: str
    refused_by: str

    @property
    def id(self) -> str:
        """The name pytest shows."""
        return f"{self.table}-{self.column}-{self.value}-{self.path}"


# Column and value per table. All rows of the scene stand at the beginning, pending or open; "approved" from there is a
# legal move, and still refused: nobody announced it.
GOVERNED: dict[str, tuple[tuple[str, str], ...]] = {
    "registry_usecase": (
        ("stage", "production"),
        ("stage", "development"),
        ("status", "approved"),
        ("risk_class", "minimal"),
        ("attributes", '"x"'),
    ),
    "registry_modelversion": (
        ("stage", "production"),
        ("status", "approved"),
        ("status", "deployed"),
        ("status", "retired"),
    ),
    "governance_stagerecord": (
        ("status", "approved"),
        ("status", "deployed"),
        ("stage", "production"),
        ("attributes", '"x"'),
    ),
    "governance_usecasestagerecord": (("status", "approved"), ("stage", "production")),
    "governance_approvalrequest": (("state", "approved"), ("state", "withdrawn"), ("stage", "production")),
}
# An update of the column that names what the row is about is refused by another trigger than a move.
PINNED = {
    ("governance_stagerecord", "stage"): "record_pinned",
    ("governance_usecasestagerecord", "stage"): "record_pinned",
    ("governance_approvalrequest", "stage"): "request_pinned",
    # The class is what a confirmed classification says.
    ("registry_usecase", "risk_class"): "risk_class_confirmed",
}
# An upsert is an insert first, and no insert goes unannounced.
INSERT_FIRST = {"sql_upsert"}
# A value that fits no attribute is refused before anybody asks for the move, also of a row that is new.
UNFIT = {"attributes": "attributes_fit"}


def attempts() -> list[Attempt]:
    """Every governed column by every path."""
    made = []
    for table, columns in GOVERNED.items():
        for (column, value), path in product(columns, (*UPDATES, *INSERTS)):
            inserts = path in INSERTS or path in INSERT_FIRST
            by = "lifecycle_guard" if inserts else PINNED.get((table, column), "lifecycle_guard")
            if path not in INSERT_FIRST:
                by = UNFIT.get(column, by)
            made.append(Attempt(table, column, value, path, by))
    return made


# Written once: column, value and what refuses its change, by table.
FIXED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "registry_modelcardversion": (("text", "other", "card_content_fixed"), ("number", "7", "card_content_fixed")),
    "registry_modelcardedit": (
        ("status", "Approved", "card_edit_fixed"),
        ("expected_number", "7", "card_edit_fixed"),
        ("reason", "other", "card_edit_fixed"),
    ),
}


def changes() -> list[Attempt]:
    """Every fixed column by every path of an update."""
    return [
        Attempt(table, column, value, path, by)
        for table, columns in FIXED.items()
        for (column, value, by), path in product(columns, UPDATES)
    ]


# Never updated, deleted or truncated, by any path.
APPEND_ONLY = (
    "governance_stageevent",
    "governance_decision",
    "governance_metricreport",
    "governance_auditevent",
)
# Changed by services, but never removed.
KEPT = tuple(GOVERNED)
