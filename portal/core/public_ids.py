"""The ids people use, as path converters: `UC-0001` in an address arrives in the view as the number 1."""

from __future__ import annotations

from functools import cache

from django.urls import register_converter


class _PublicId:
    """A prefix and a number; an address with anything else is not found."""

    prefix = ""
    width = 6
    regex = ""

    def to_python(self, value: str) -> int:
        return int(value.removeprefix(f"{self.prefix}-"))

    def to_url(self, value: int | str) -> str:
        return value if isinstance(value, str) else f"{self.prefix}-{value:0{self.width}d}"


class UseCaseId(_PublicId):
    """UC-0001"""

    prefix, width, regex = "UC", 4, r"UC-[0-9]{1,9}"


class RequestId(_PublicId):
    """AR-000001"""

    prefix, regex = "AR", r"AR-[0-9]{1,18}"


class FindingId(_PublicId):
    """FND-000001"""

    prefix, regex = "FND", r"FND-[0-9]{1,18}"


class EvidenceId(_PublicId):
    """EV-000001"""

    prefix, regex = "EV", r"EV-[0-9]{1,18}"


class OverrideId(_PublicId):
    """BG-000001"""

    prefix, regex = "BG", r"BG-[0-9]{1,18}"


class PackId(_PublicId):
    """PACK-000001"""

    prefix, regex = "PACK", r"PACK-[0-9]{1,18}"


class RegistrationId(_PublicId):
    """REG-000001"""

    prefix, regex = "REG", r"REG-[0-9]{1,18}"


class GroupCreationId(_PublicId):
    """GC-000001"""

    prefix, regex = "GC", r"GC-[0-9]{1,18}"


class ShareId(_PublicId):
    """SHR-0001"""

    prefix, width, regex = "SHR", 4, r"SHR-[0-9]{1,9}"


class AccountId:
    """The twelve digits of an AWS account; they stay text, for they may begin with zeros."""

    regex = "[0-9]{12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class RowId:
    """A row's own number, no longer than the database can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int | str) -> str:
        return str(value)


@cache
def register() -> None:
    """Make the converters known, once: `use_case`, `request`, `finding`, `override`, `evidence`, and so on."""
    for name, converter in (
        ("use_case", UseCaseId),
        ("request", RequestId),
        ("finding", FindingId),
        ("override", OverrideId),
        ("evidence", EvidenceId),
        ("pack", PackId),
        ("registration", RegistrationId),
        ("group_creation", GroupCreationId),
        ("share", ShareId),
        ("account", AccountId),
        ("row", RowId),
    ):
        register_converter(converter, name)
