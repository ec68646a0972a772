"""Say what a role's policies let it do.

A role that is not in IAM, or has no policy at all, may do everything: a demo works without setting up permissions. One
policy is enough to hold the role to it.
"""

from __future__ import annotations

from typing import Any

from moto.iam.models import IAMBackend, Role, iam_backends

from ..policies import ALLOWED, Context, decide, matching, statements


def iam_of(account: str) -> SandboxIAMBackend:
    """IAM of an account."""
    backend = iam_backends[account]["aws"]
    assert isinstance(backend, SandboxIAMBackend)
    return backend


class SandboxIAMBackend(IAMBackend):
    """IAM of one account; it keeps what stock moto keeps."""

    def role_named(self, arn: str) -> Role | None:
        """The role of that ARN; None when there is none."""
        name = arn.rsplit("/", 1)[-1]
        found = next((r for r in self.roles.values() if r.name == name), None)
        return found if found is not None and arn.rsplit(":", 1)[0] == found.arn.rsplit(":", 1)[0] else None

    @staticmethod
    def documents(role: Role) -> list[tuple[str, str, Any]]:
        """A role's policies: their names, kinds and documents, the inline ones first."""
        found: list[tuple[str, str, Any]] = [(n, "role", d) for n, d in role.policies.items()]
        for policy in role.managed_policies.values():
            version = next(v for v in policy.versions if v.is_default)
            kind = "aws-managed" if ":iam::aws:" in policy.arn else "user-managed"
            found.append((policy.name, kind, version.document))
        return found

    def decision(self, role: Role, action: str, resource: str, context: Context) -> tuple[str, list[dict[str, Any]]]:
        """What a role may do, as IAM words it, and the statements (IAM Statement) that say so."""
        documents = self.documents(role)
        if not documents:
            return ALLOWED, []
        found = [(name, kind, statements(document)) for name, kind, document in documents]
        said = decide([s for _, _, own in found for s in own], action, resource, context)
        matched = [
            {"SourcePolicyId": name, "SourcePolicyType": kind}
            for name, kind, own in found
            for _ in matching(own, action, resource, context)
        ]
        return said, matched
