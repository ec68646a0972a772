"""The table of AWS systems in docs: its operations are those the gateway calls, its pages exist."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.urls import get_resolver

from registry.aws.actions import OPERATIONS

TABLE = Path(settings.BASE_DIR) / "docs" / "aws-systems.md"
# Called by the session itself, with what the portal's process holds.
ASSUMED = {"AssumeRole"}


def rows() -> list[list[str]]:
    """Return the cells of each row of the first table, without its head."""
    text = TABLE.read_text().partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def named(cell: str) -> set[str]:
    """Return the operations a cell names: words of several capitals outside of code, and the one that has only one."""
    return set(re.findall(r"\b(?:[A-Z][a-z]+(?:[A-Z][A-Za-z0-9]*)+|Search)\b", re.sub(r"`[^`]*`", "", cell)))


def test_the_table_names_every_operation_that_is_called_and_no_other() -> None:
    told = set().union(*(named(row[2]) | named(row[3]) for row in rows()))
    wanted = {operation.partition(":")[2] for operation in OPERATIONS} | ASSUMED
    assert told == wanted, f"not told: {sorted(wanted - told)}; told and not called: {sorted(told - wanted)}"


def test_what_only_reads_stands_under_reading() -> None:
    writing = re.compile(r"^(Create|Update|Delete|Put|Start|Send|Accept|Associate|Disassociate|Complete|Abort|Set)")
    for row in rows():
        assert not [operation for operation in named(row[2]) if writing.match(operation)], row[0]


def test_every_page_of_the_table_exists() -> None:
    resolver = get_resolver()
    for row in rows():
        addresses = re.findall(r"`(/[^`]*)`", row[4])
        assert addresses, f"{row[0]} has no page"
        for address in addresses:
            resolver.resolve(_example(address))


def _example(address: str) -> str:
    """Fill the gaps of an address: an account, a region and a name, or a number."""
    if address.startswith("/accounts/"):
        return address.replace("…", "111111111111")
    if address.endswith("/metrics/") and address.startswith("/endpoints/"):
        return address.replace("…", "111111111111/us-east-1/credit-risk")
    return address.replace("…", "AR-000001" if address.startswith("/approvals/") else "1")
