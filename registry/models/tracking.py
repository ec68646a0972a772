"""MLflow tracking servers, and the runs that versions come from."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ..choices import TrackingLogin
from ..querysets import TrackingServerQuerySet, VersionRunQuerySet
from .organisation import Project
from .registration import Registration
from .user import User
from .version import ModelVersion


class TrackingServer(models.Model):
    """One MLflow tracking server that runs are read from, and how the portal signs in there.

    `secret` is the token or the password, encrypted; it is never shown. Without projects every project may use it,
    with some only those. `check_error` says what its last test came to, "" when it answered.
    """

    name = models.CharField(max_length=63, unique=True)
    url = models.CharField("URL", max_length=2048, unique=True)
    login = models.CharField(max_length=10, choices=TrackingLogin.choices(), default=TrackingLogin.NONE)
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False)
    is_enabled = models.BooleanField("enabled", default=True)
    projects = models.ManyToManyField(Project, through="TrackingServerProject", related_name="tracking_servers")
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_error = models.TextField(blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = TrackingServerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tracking_login_has_what_it_needs",
                condition=Q(login=TrackingLogin.NONE, username="", secret="")
                | (Q(login=TrackingLogin.TOKEN, username="") & ~Q(secret=""))
                | (Q(login=TrackingLogin.BASIC) & ~Q(username="") & ~Q(secret="")),
            )
        ]

    @property
    def scope_project_id(self) -> int | None:
        """Tracking servers belong to the installation, not to a project."""
        return None

    def __str__(self) -> str:
        return self.name


class TrackingServerProject(models.Model):
    """A project that may use a tracking server."""

    server = models.ForeignKey(TrackingServer, on_delete=models.CASCADE, related_name="project_links")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "project"], name="tracking_server_project_once")]

    def __str__(self) -> str:
        return f"{self.project_id} uses {self.server_id}"


class VersionRun(models.Model):
    """The MLflow run a version is said to come from: named by a person, or by the version's own metadata.

    Named when the version was registered, it waits with its registration for the version. At most one stands per
    version; one that was taken off stays, with who did it. `read_at` is when the server last confirmed what the latest
    reading says; `failing_since` and `last_error` tell of a server that did not answer since.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="runs")
    registration = models.OneToOneField(Registration, on_delete=models.PROTECT, null=True, related_name="run")
    server = models.ForeignKey(TrackingServer, on_delete=models.PROTECT, related_name="runs")
    run_id = models.CharField("run ID", max_length=64)
    attached_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    attached_at = models.DateTimeField(auto_now_add=True)
    detached_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    detached_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    is_settled = models.BooleanField(default=False, editable=False)

    objects = VersionRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(detached_at=None, version__isnull=False), name="version_run_once"
            ),
            models.CheckConstraint(
                name="version_run_is_of_something",
                condition=Q(version__isnull=False) | Q(registration__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["tried_at"], condition=Q(detached_at=None, is_settled=False), name="version_run_due"),
        ]

    @property
    def scope_project_id(self) -> int | None:
        of = self.version or self.registration
        return of.group.project_id if of is not None else None

    def __str__(self) -> str:
        return f"run {self.run_id} on {self.server}"


class RunReading(models.Model):
    """What the tracking server said of a run at a time; never changed, so that an approval stands on what was read.

    A reading that says what the one before it said is not kept again: its run's `read_at` moves on. `metrics` holds
    numbers by name, and "NaN", "Infinity" or "-Infinity" for what is no number; `cut` tells how much of the server's
    answer was left out, by its part.
    """

    run = models.ForeignKey(VersionRun, on_delete=models.PROTECT, related_name="readings")
    read_at = models.DateTimeField()
    read_by = models.CharField(max_length=200)
    name = models.CharField(max_length=500, blank=True)
    experiment_id = models.CharField(max_length=64, blank=True)
    experiment_name = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=20, blank=True)
    lifecycle_stage = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    user_name = models.CharField(max_length=256, blank=True)
    source_name = models.CharField(max_length=1000, blank=True)
    source_type = models.CharField(max_length=50, blank=True)
    git_commit = models.CharField(max_length=256, blank=True)
    artifact_uri = models.CharField("artifact URI", max_length=2048, blank=True)
    params = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    tags = models.JSONField(default=dict)
    measured_at = models.DateTimeField(null=True)
    cut = models.JSONField(default=dict)
    digest = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["run", "-id"], name="run_reading_newest")]

    @property
    def is_final(self) -> bool:
        """Whether the run is over and was not deleted: only then do its numbers count."""
        return self.status == "FINISHED" and self.lifecycle_stage == "active"

    def __str__(self) -> str:
        return f"reading {self.pk} of run {self.run_id}"
