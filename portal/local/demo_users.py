"""The demo people: who they are, what they may do, and the one password they share.

Free of Django, so that `make up` can print them. Used under the local settings only.
"""

from __future__ import annotations

from dataclasses import dataclass

DEMO_PASSWORD = "governance"


@dataclass(frozen=True)
class DemoUser:
    """One demo person: sign-in name, full name, role, and what to try as that person."""

    username: str
    full_name: str
    role: str
    does: str


DEMO_USERS: tuple[DemoUser, ...] = (
    DemoUser(
        "data.scientist",
        "Dana Scientist",
        "data_scientist",
        "registers use cases and versions, asks for promotion",
    ),
    DemoUser("model.owner", "Morgan Owner", "model_owner", "leads the team, approves the development stage"),
    DemoUser("ml.engineer", "Emery Engineer", "ml_engineer", "shares model groups, deploys, reports test results"),
    DemoUser(
        "governance.officer",
        "Gale Officer",
        "governance_officer",
        "approves QA, pre-production and production",
    ),
    DemoUser("second.officer", "Sam Officer", "governance_officer", "gives the second approval where risk is high"),
    DemoUser("ml.admin", "Alex Admin", "ml_admin", "runs accounts, policies, sync and users; approves nothing"),
    DemoUser("auditor", "Audrey Auditor", "auditor", "reads everything, verifies the audit trail, writes nothing"),
)
