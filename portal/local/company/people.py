"""Lines of business, projects, and the people beside the seven who sign in. All names are made up."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.vocabulary import Role

SCIENTIST, OWNER, ENGINEER = Role.DATA_SCIENTIST, Role.MODEL_OWNER, Role.ML_ENGINEER
OFFICER = Role.GOVERNANCE_OFFICER


@dataclass(frozen=True)
class ProjectPlan:
    """A project, its line of business, and who works on it in which role, by sign-in name."""

    key: str
    name: str
    line: str
    scientists: tuple[str, ...]
    owner: str
    engineer: str


@dataclass(frozen=True)
class PersonPlan:
    """Somebody of the company; with a role `everywhere` if he is an officer, admin or auditor."""

    username: str
    full_name: str
    everywhere: Role | None = None


# The first entry of scientists, owner and engineer of some projects are people the demo signs in as.
PROJECTS: tuple[ProjectPlan, ...] = (
    ProjectPlan("credit-risk", "Credit risk", "Consumer Lending",
                ("data.scientist", "amara.okafor"), "model.owner", "ml.engineer"),
    ProjectPlan("mortgage-pricing", "Mortgage pricing", "Consumer Lending",
                ("mateusz.nowak", "data.scientist"), "ingrid.solberg", "ml.engineer"),
    ProjectPlan("card-fraud", "Card fraud", "Payments",
                ("data.scientist", "priya.raman"), "model.owner", "tomas.varga"),
    ProjectPlan("aml-monitoring", "Anti-money-laundering monitoring", "Payments",
                ("leila.haddad", "kwame.mensah"), "bruno.carvalho", "tomas.varga"),
    ProjectPlan("motor-claims", "Motor claims", "Insurance",
                ("data.scientist", "yuki.tanabe"), "freya.lindholm", "ml.engineer"),
    ProjectPlan("churn-retention", "Churn and retention", "Customer Service",
                ("sofia.marin", "noah.adler"), "bruno.carvalho", "chidi.eze"),
    ProjectPlan("service-assistant", "Service assistant", "Customer Service",
                ("noah.adler", "mei.lin.chua"), "model.owner", "chidi.eze"),
    ProjectPlan("talent-matching", "Talent matching", "Human Resources",
                ("zeynep.aydin", "lars.petersen"), "hana.kovacs", "rosa.delgado"),
    ProjectPlan("cash-logistics", "Cash and branch logistics", "Operations",
                ("diego.fuentes", "anouk.marchand"), "hana.kovacs", "rosa.delgado"),
)  # fmt: skip

PEOPLE: tuple[PersonPlan, ...] = (
    PersonPlan("amara.okafor", "Amara Okafor"),
    PersonPlan("mateusz.nowak", "Mateusz Nowak"),
    PersonPlan("ingrid.solberg", "Ingrid Solberg"),
    PersonPlan("priya.raman", "Priya Raman"),
    PersonPlan("tomas.varga", "Tomás Varga"),
    PersonPlan("leila.haddad", "Leila Haddad"),
    PersonPlan("kwame.mensah", "Kwame Mensah"),
    PersonPlan("bruno.carvalho", "Bruno Carvalho"),
    PersonPlan("yuki.tanabe", "Yuki Tanabe"),
    PersonPlan("freya.lindholm", "Freya Lindholm"),
    PersonPlan("sofia.marin", "Sofía Marín"),
    PersonPlan("noah.adler", "Noah Adler"),
    PersonPlan("chidi.eze", "Chidi Eze"),
    PersonPlan("mei.lin.chua", "Chua Mei Lin"),
    PersonPlan("zeynep.aydin", "Zeynep Aydin"),
    PersonPlan("lars.petersen", "Lars Petersen"),
    PersonPlan("hana.kovacs", "Hana Kovács"),
    PersonPlan("rosa.delgado", "Rosa Delgado"),
    PersonPlan("diego.fuentes", "Diego Fuentes"),
    PersonPlan("anouk.marchand", "Anouk Marchand"),
    PersonPlan("olena.shevchuk", "Olena Shevchuk", OFFICER),
    PersonPlan("rajiv.menon", "Rajiv Menon", OFFICER),
    PersonPlan("thandi.nkosi", "Thandi Nkosi", Role.AUDITOR),
    PersonPlan("elin.backstrom", "Elin Bäckström", Role.ML_ADMIN),
    PersonPlan("viktor.hale", "Viktor Hale", Role.AUDITOR),
)

LINES: tuple[str, ...] = tuple(dict.fromkeys(project.line for project in PROJECTS))
# Who reads a request first, in turn; the two of the demo keep something to do.
OFFICERS = ("governance.officer", "second.officer", "olena.shevchuk", "rajiv.menon")


def project_of(key: str) -> ProjectPlan:
    """Return a project by its key."""
    return next(project for project in PROJECTS if project.key == key)


def grants() -> list[tuple[str, Role, str | None]]:
    """Return (person, role, project key or None for everywhere) of everybody on every project."""
    found: list[tuple[str, Role, str | None]] = [
        (person.username, person.everywhere, None) for person in PEOPLE if person.everywhere
    ]
    for project in PROJECTS:
        found += [(name, SCIENTIST, project.key) for name in project.scientists]
        found += [(project.owner, OWNER, project.key), (project.engineer, ENGINEER, project.key)]
    return found
