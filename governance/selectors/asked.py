"""What an approval request is about, for an actor who may see it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.actors import Actor
from portal.core.errors import NotFound
from portal.core.prepared import fetch_one
from registry.querysets import reach_of_use_cases, reach_of_versions

from ..models import ApprovalRequest

_ASKED = """
SELECT r.use_case_id, u.project_id, r.version_id, v.group_id, g.project_id
  FROM governance_approvalrequest r
  LEFT JOIN registry_usecase u ON u.id = r.use_case_id
  LEFT JOIN registry_modelversion v ON v.id = r.version_id
  LEFT JOIN registry_modelgroup g ON g.id = v.group_id
 WHERE r.id = %(id)s::bigint"""
# As many as a key of the database can be.
_LARGEST = 2**63


@dataclass(frozen=True)
class Asked:
    """The key of the use case or of the version that a request is about."""

    use_case_id: int | None
    version_id: int | None


def asked_about(actor: Actor, request_id: int) -> Asked:
    """Return what a request is about that the actor may see, as `visible_to` has it.

    Raises NotFound for what is missing and for what is hidden, alike.
    """
    found = fetch_one(_ASKED, {"id": str(request_id)}) if 0 < request_id < _LARGEST else None
    if found is not None:
        use_case_id, its_project, version_id, group_id, project = found
        reach = reach_of_versions(actor) if use_case_id is None else reach_of_use_cases(actor)
        if reach is None or (
            reach.covers(project, group_id) if use_case_id is None else reach.covers(its_project, use_case_id)
        ):
            return Asked(use_case_id, version_id)
    raise NotFound(f"There is no such {ApprovalRequest._meta.verbose_name}.")
