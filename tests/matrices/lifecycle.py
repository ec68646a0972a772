"""Where use cases and versions may stand, and the moves between, written from the domain and not from the code."""

from __future__ import annotations

MODEL_WALK = ("development", "qa", "pre_production", "production")
USE_CASE_WALK = ("poc", *MODEL_WALK)
WALK = {"model_version": MODEL_WALK, "use_case": USE_CASE_WALK}

# Every state of each machine.
STATES: dict[str, set[str]] = {
    "use_case": {f"{stage}/{status}" for stage in USE_CASE_WALK for status in ("pending", "approved", "rejected")}
    | {"retired/retired"},
    "model_version": {f"{stage}/{status}" for stage in MODEL_WALK for status in ("pending", "approved", "rejected")}
    | {"production/deployed", "production/superseded", "retired/retired"},
    "stage_record": {"pending", "approved", "rejected", "deployed", "superseded", "retired"},
    "approval_request": {
        "open",
        "approved",
        "rejected",
        "changes_requested",
        "withdrawn",
        "expired",
        "outdated",
    },
}

# States that nothing leads out of.
FINAL: dict[str, set[str]] = {
    "use_case": {"retired/retired"},
    "model_version": {"retired/retired"},
    "stage_record": {"retired"},
    "approval_request": STATES["approval_request"] - {"open"},
}

# Moves that must never exist, whatever the table says: (machine, from, to).
FORBIDDEN_MOVES = [
    ("model_version", "development/pending", "qa/pending"),
    ("model_version", "development/pending", "production/approved"),
    ("model_version", "development/rejected", "development/approved"),
    ("model_version", "qa/pending", "development/pending"),
    ("model_version", "production/pending", "production/deployed"),
    ("model_version", "production/deployed", "development/rejected"),
    ("model_version", "production/superseded", "production/deployed"),
    ("model_version", "retired/retired", "development/pending"),
    ("use_case", "poc/pending", "development/pending"),
    ("use_case", "poc/approved", "qa/pending"),
    ("use_case", "poc/approved", "production/pending"),
    ("use_case", "production/approved", "production/deployed"),
    ("use_case", "retired/retired", "poc/pending"),
    ("stage_record", "pending", "deployed"),
    ("stage_record", "rejected", "approved"),
    ("stage_record", "retired", "pending"),
    ("approval_request", "rejected", "approved"),
    ("approval_request", "approved", "open"),
    ("approval_request", "withdrawn", "open"),
]
