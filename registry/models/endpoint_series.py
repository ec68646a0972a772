"""What CloudWatch counted of an endpoint, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from portal.core.actors import Actor

from ..querysets import seen_versions
from .account import AwsAccount
from .deployment import Deployment
from .endpoint import Endpoint, EndpointVariant
from .version import ModelVersion

HOUR = timedelta(hours=1)
# Ninety days of hours.
MOST_HOURS = 90 * 24


class EndpointSeriesQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Series of the endpoints the actor may see, and of those a version he may see was reported to run on; without
        those of variants that serve nothing but versions he may not see."""
        if seen_versions(actor) is None:
            return self.all()
        here = {"account": OuterRef("account"), "region": OuterRef("region")}
        endpoints = Endpoint.objects.visible_to(actor)
        deployments = Deployment.objects.visible_to(actor)
        # It is reported by its name or its ARN, in which AWS writes the name small.
        named = Q(endpoint__iexact=OuterRef("endpoint")) | Q(
            endpoint__iendswith=Concat(Value("/"), OuterRef("endpoint"))
        )
        variants = EndpointVariant.objects.filter(
            endpoint__account=OuterRef("account"),
            endpoint__region=OuterRef("region"),
            endpoint__name__iexact=OuterRef("endpoint"),
            name=OuterRef("variant"),
            version__isnull=False,
        )
        return self.filter(
            Exists(endpoints.filter(name__iexact=OuterRef("endpoint"), **here))
            | Exists(deployments.filter(named, **here)),
            ~Exists(variants) | Exists(variants.filter(version__in=ModelVersion.objects.visible_to(actor))),
        )


class EndpointSeries(models.Model):
    """The hours of one metric of an endpoint: of a variant, or of a monitoring schedule when it is of model quality.

    `points` holds one number an hour, the first for the hour that began at `begins_at`; null is an hour without data,
    which is a gap and not zero. Ninety days of it are some kilobytes in one row that is written anew: a row an hour
    would be fifty million for a thousand endpoints. `problem` is what CloudWatch said when it did not answer in full.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="endpoint_series")
    region = models.CharField(max_length=30)
    endpoint = models.CharField(max_length=63)
    variant = models.CharField(max_length=63, blank=True)
    schedule = models.CharField(max_length=63, blank=True)
    namespace = models.CharField(max_length=255)
    metric = models.CharField(max_length=255)
    statistic = models.CharField(max_length=30)
    begins_at = models.DateTimeField(null=True)
    points = ArrayField(models.FloatField(null=True), default=list)
    problem = models.TextField(blank=True)
    read_at = models.DateTimeField()

    objects = EndpointSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = "endpoint metric"
        verbose_name_plural = "endpoint metrics"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "endpoint", "variant", "schedule", "namespace", "metric"],
                name="endpoint_series_once",
            ),
            models.CheckConstraint(
                name="endpoint_series_bounded",
                condition=Q(points__len__lte=MOST_HOURS) & (Q(points__len=0) | Q(begins_at__isnull=False)),
            ),
        ]

    @property
    def ends_at(self) -> datetime | None:
        """When the last hour ended, None for a series that never had a point."""
        return self.begins_at + len(self.points) * HOUR if self.begins_at and self.points else None

    @property
    def last(self) -> tuple[datetime, float] | None:
        """The newest hour with data and its number, None without one."""
        return next(((at, value) for at, value in reversed(list(self.hours())) if value is not None), None)

    def hours(self) -> Iterator[tuple[datetime, float | None]]:
        """Yield when each hour began and its number, null for a gap; the oldest first."""
        if self.begins_at is not None:
            for place, value in enumerate(self.points):
                yield self.begins_at + place * HOUR, value

    def __str__(self) -> str:
        return f"{self.metric} of {self.endpoint} {self.variant or self.schedule}".rstrip()


def joined(
    begins_at: datetime | None,
    points: Sequence[float | None],
    read: Mapping[datetime, float],
    until: datetime,
) -> tuple[datetime | None, list[float | None]]:
    """Return a series with what was read: the last ninety days before `until`, a full hour; null where nothing is.

    What was read replaces what an hour had; an hour that was not in the answer keeps what it had, because CloudWatch
    forgets and late data only ever comes on top.
    """
    known: dict[datetime, float] = {}
    if begins_at is not None:
        known = {begins_at + place * HOUR: value for place, value in enumerate(points) if value is not None}
    known.update(read)
    oldest = until - MOST_HOURS * HOUR
    kept = {at: value for at, value in known.items() if oldest <= at < until}
    if not kept:
        return None, []
    first, hours = min(kept), int((max(kept) - min(kept)) / HOUR) + 1
    return first, [kept.get(first + place * HOUR) for place in range(hours)]
