"""What the REST API reads of the registry: rows an actor may see, with everything their representation needs.

Every function costs the same number of queries however many rows are read.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery

from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere

from ..models import (
    AwsAccount,
    DeclaredShare,
    Deployment,
    ModelGroup,
    ModelVersion,
    Project,
    ResourceShare,
    SyncRun,
    UseCase,
    User,
    VersionRun,
)


def projects(actor: Actor) -> QuerySet[Project]:
    """Return the projects an actor sees."""
    return Project.objects.visible_to(actor).select_related("line_of_business")


def project_by_key(actor: Actor, key: str) -> Project | None:
    """Return a visible project by its key."""
    return Project.objects.visible_to(actor).filter(key=key).first()


def project_keys(actor: Actor) -> dict[int, str]:
    """Return the keys of the projects an actor holds a role on."""
    return dict(Project.objects.filter(pk__in=actor.grants.by_project).order_by("key").values_list("pk", "key"))


def person_by_name(username: str) -> User | None:
    """Return an active person by sign-in name."""
    return User.objects.people().filter(username=username, is_active=True).first()


def people_by_key(pk: int) -> QuerySet[User]:
    """Return the person with this key, if there is one."""
    return User.objects.filter(pk=pk)


def person(actor: Actor) -> User:
    """Return the person an actor is."""
    return User.objects.get(pk=actor.user_id)


def use_cases(actor: Actor) -> QuerySet[UseCase]:
    """Return the use cases an actor sees, as a list shows them."""
    return UseCase.objects.visible_to(actor).select_related(
        "project__line_of_business", "model_owner", "registered_by", "risk_classified_by"
    )


def use_cases_in_detail(actor: Actor) -> QuerySet[UseCase]:
    """Return the use cases an actor sees with their documents, and of their models those he sees."""
    versions = ModelVersion.objects.visible_to(actor).select_related("group").order_by("group__name", "-number")
    return use_cases(actor).prefetch_related(
        "documents__author",
        Prefetch("groups", ModelGroup.objects.visible_to(actor).order_by("name")),
        Prefetch("versions", versions),
    )


def use_cases_by_number(actor: Actor, numbers: set[int]) -> list[UseCase]:
    """Return those use cases with these numbers that an actor sees."""
    return list(UseCase.objects.visible_to(actor).filter(number__in=numbers))


def model_groups(actor: Actor) -> QuerySet[ModelGroup]:
    """Return the model groups an actor sees."""
    return (
        ModelGroup.objects.visible_to(actor)
        .select_related("account", "owner", "project")
        .prefetch_related(Prefetch("use_cases", UseCase.objects.order_by("number")))
    )


def model_versions(actor: Actor) -> QuerySet[ModelVersion]:
    """Return the model versions an actor sees, without the large columns that only the detail shows."""
    return model_versions_in_detail(actor).defer("containers", "metric_sources", "drift_baselines", "metadata", "card")


def model_versions_in_detail(actor: Actor) -> QuerySet[ModelVersion]:
    """Return the model versions an actor sees, each with `has_run`: whether an MLflow run is named for it."""
    return (
        ModelVersion.objects.visible_to(actor)
        .select_related("group__project__line_of_business", "group__owner", "registered_by")
        .prefetch_related(Prefetch("use_cases", UseCase.objects.order_by("number")))
        .annotate(has_run=Exists(VersionRun.objects.standing().filter(version=OuterRef("pk"))))
        .defer("described")
    )


def deployments(actor: Actor) -> QuerySet[Deployment]:
    """Return the deployments an actor sees."""
    return Deployment.objects.visible_to(actor).select_related("version__group", "account").defer("version__described")


def accounts(actor: Actor) -> QuerySet[AwsAccount]:
    """Return the AWS accounts an actor sees."""
    return AwsAccount.objects.visible_to(actor).prefetch_related("preflights")


def account_list(actor: Actor) -> QuerySet[AwsAccount]:
    """Return the AWS accounts. Raises Forbidden for who may see none: an empty list would be untrue."""
    require_anywhere(actor, Act.SEE_OPERATIONS)
    return accounts(actor)


def sync_run_list(actor: Actor) -> QuerySet[SyncRun]:
    """Return the sync runs. Raises Forbidden for who may see none."""
    require_anywhere(actor, Act.SEE_OPERATIONS)
    return SyncRun.objects.visible_to(actor).select_related("account")


def shares(actor: Actor) -> QuerySet[ResourceShare]:
    """Return the RAM shares an actor sees, and of their groups those he sees; `declared_number` is its declaration."""
    declared = DeclaredShare.objects.wanted().filter(share_arn=OuterRef("arn"))
    return (
        ResourceShare.objects.visible_to(actor)
        .annotate(declared_number=Subquery(declared.values("number")[:1]))
        .select_related("account")
        .prefetch_related(Prefetch("groups", ModelGroup.objects.visible_to(actor).order_by("name")))
    )
