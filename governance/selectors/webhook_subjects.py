"""What changes are about, as webhooks name it: the key its events go in order by, what it is called, its links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from registry.models import ModelGroup, ModelVersion, Project, UseCase

from ..policies.webhook_events import Row
from .webhook_rows import Rows


@dataclass(frozen=True)
class About:
    """The subject of a change: its events go in order under `key`. `use_cases` are those a version serves."""

    key: str
    name: str
    subject: dict[str, Any]
    projects: tuple[Project, ...] = ()
    use_cases: tuple[UseCase, ...] | None = None
    page: str = ""
    api: str = ""


def subject(row: Row, rows: Rows) -> About:
    """Return the use case, version, group or account that a row points at; what is gone keeps its number."""
    if (pk := row.get("version_id")) is not None:
        return version(pk, rows.versions.get(pk))
    if (pk := row.get("use_case_id")) is not None:
        return use_case(pk, rows.use_cases.get(pk))
    if (pk := row.get("group_id")) is not None:
        return group(pk, rows.groups.get(pk))
    if (pk := row.get("account_id")) is not None:
        return account(pk, rows)
    return About("portal", "the portal", {"kind": "portal", "id": None})


def version(pk: int, found: ModelVersion | None) -> About:
    """Return a version; of one that is gone its number."""
    key = f"model_version:{pk}"
    if found is None:
        return About(key, key, {"kind": "model_version", "id": pk})
    return About(
        key,
        found.name,
        {"kind": "model_version", "id": pk, "name": found.name, "model_package_arn": found.arn},
        projects_of(found.group.project),
        tuple(found.use_cases.all()),
        reverse("registry:version", args=[pk]),
        reverse("model-version-detail", kwargs={"id": pk}),
    )


def use_case(pk: int, found: UseCase | None) -> About:
    """Return a use case."""
    key = f"use_case:{pk}"
    if found is None:
        return About(key, key, {"kind": "use_case", "id": None})
    return About(
        key,
        str(found),
        {"kind": "use_case", "id": found.public_id, "name": found.name},
        projects_of(found.project),
        page=reverse("registry:use_case", args=[found.number]),
        api=reverse("use-case-detail", kwargs={"id": found.public_id}),
    )


def group(pk: int, found: ModelGroup | None) -> About:
    """Return a model group; of one that is gone its number."""
    key = f"model_group:{pk}"
    if found is None:
        return About(key, key, {"kind": "model_group", "id": pk})
    return About(
        key,
        found.name,
        {"kind": "model_group", "id": pk, "name": found.name, "arn": found.arn},
        projects_of(found.project),
        page=reverse("registry:group", args=[pk]),
        api=reverse("model-group-detail", kwargs={"id": pk}),
    )


def account(pk: int, rows: Rows, region: str = "") -> About:
    """Return an AWS account, or one region of it."""
    found = rows.accounts.get(pk)
    number = found.account_id if found else None
    key = f"account:{pk}:{region}" if region else f"account:{pk}"
    return About(
        key,
        f"{found} {region}".strip() if found else key,
        {"kind": "account", "id": number, **({"region": region} if region else {})},
        page=reverse("registry:account", args=[number]) if number else "",
        api=reverse("account-detail", kwargs={"id": number}) if number else "",
    )


def projects_of(*found: Project | None) -> tuple[Project, ...]:
    """Return those that are there, each once."""
    return tuple({project.pk: project for project in found if project is not None}.values())


def led(about: About, page: str, api: str) -> About:
    """Return the same subject with the links of what happened to it."""
    return replace(about, page=page, api=api)


def account_id(pk: int | None, rows: Rows) -> str | None:
    """Return the twelve digits of an account."""
    found = rows.accounts.get(pk) if pk is not None else None
    return found.account_id if found else None


def username(pk: int | None, rows: Rows) -> str | None:
    """Return the sign-in name of a person."""
    person = rows.people.get(pk) if pk is not None else None
    return person.username if person else None


def request_id(pk: int | None) -> str | None:
    """Return the public id of an approval request."""
    return f"AR-{pk:06d}" if pk is not None else None


def declared_share(pk: int, number: int | None) -> About:
    """Return a declared share, without the projects that hear of it."""
    key = f"share:{pk}"
    if number is None:
        return About(key, key, {"kind": "share", "id": None})
    name = f"SHR-{number:04d}"
    page, api = reverse("governance:share", args=[number]), reverse("share-detail", kwargs={"id": name})
    return About(key, name, {"kind": "share", "id": name}, page=page, api=api)


def ram_share(arn: str, share: Any) -> About:
    """Return a share as RAM has it, told to the projects of its groups."""
    projects = projects_of(*(group.project for group in share.groups.all())) if share else ()
    page, api = reverse("governance:share_list"), reverse("resource-share-list")
    return About(f"ram_share:{arn[-150:]}", arn, {"kind": "ram_share", "id": arn}, projects, page=page, api=api)
