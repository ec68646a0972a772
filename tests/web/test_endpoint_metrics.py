"""Pages of endpoints' metrics and of personas: gaps are gaps in figure and table, and what is wrong is said in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from html import unescape

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.core.operations import operation
from registry.models import EndpointSeries
from registry.selectors.endpoint_metrics import points
from registry.web.endpoint_metrics import NO_DATA
from tests.api.world import World
from tests.factories.people import SYSTEM

AsRole = Callable[[str], Client]
SPOKE = "333333333333"


def address(world: World) -> str:
    row = world.endpoint_series
    return reverse("registry:endpoint_metrics", args=[row.account.account_id, row.region, row.endpoint])


def test_hours_without_data_break_the_line_and_say_so_in_the_table(world: World, as_role: AsRole) -> None:
    page = as_role("data_scientist").get(address(world), {"days": "1"}).content.decode()
    (spec,) = (json.loads(unescape(text.split('"')[0])) for text in page.split('data-spec="')[1:])
    drawn = [point["y"] for point in spec["lines"][0]["points"]]
    assert drawn == [float(hour) if hour % 3 else None for hour in range(24, 48)]
    assert "8 of 24 hours have no data" in page
    # In the table, and once in that note.
    assert page.count(NO_DATA) == 8 + 1
    # What nobody counted is not reported, and no zero.
    assert "Not reported: Refused as malformed (4xx), Failed (5xx)." in page
    assert "The model, SageMaker around it" in page


def test_days_add_up_what_is_counted_and_average_what_is_measured() -> None:
    begin = timezone.now().replace(minute=0, second=0, microsecond=0)
    row = EndpointSeries(statistic="Sum", begins_at=begin, points=[1.0, None, 3.0, *[None] * 45, 4.0])
    until = begin + timedelta(hours=72)
    assert [value for _, value in points(row, until, 30)][-4:] == [None, 4.0, None, 4.0]
    row.statistic = "Average"
    assert [value for _, value in points(row, until, 30, 0.5)][-4:] == [None, 1.0, None, 2.0]


def test_what_cloudwatch_withheld_is_told_and_an_endpoint_nobody_read_says_so(world: World, as_role: AsRole) -> None:
    client = as_role("ml_engineer")
    with operation(SYSTEM):
        EndpointSeries.objects.filter(pk=world.endpoint_series.pk).update(problem="CloudWatch refused this metric.")
    assert "Invocations: CloudWatch refused this metric." in client.get(address(world)).content.decode()
    with operation(SYSTEM):
        EndpointSeries.objects.all().delete()
    assert "Not read yet" in client.get(address(world), {"days": "9" * 30}).content.decode()
    part = reverse("registry:version_endpoint_metrics", args=[world.trial.pk])
    assert address(world) in client.get(part).content.decode()


def test_personas_are_shown_written_and_refused_in_place(world: World, as_role: AsRole) -> None:
    client, page = as_role("ml_admin"), reverse("registry:account_personas", args=[SPOKE])
    shown = client.get(page).content.decode()
    assert "Goes around the portal" in shown
    assert "It may approve or reject versions." in shown
    assert "is no name of a role" in unescape(client.get(page, {"execution_roles": "*"}).content.decode())
    file = reverse("registry:persona_file", args=[SPOKE, "ml_engineer", 1])
    answer = client.get(file, {"execution_roles": "model-*"})
    assert answer["Content-Disposition"] == f'attachment; filename="ml_engineer-{SPOKE}-1.json"'
    (passing,) = (one for one in json.loads(answer.content)["Statement"] if one["Sid"] == "HandModelsTheirRole")
    assert passing["Resource"] == [f"arn:aws:iam::{SPOKE}:role/model-*"]
    assert client.get(file, {"execution_roles": "\x00"}).status_code == 400
    assert client.get(reverse("registry:persona_file", args=[SPOKE, "nobody", 1])).status_code == 404
    assert client.get(reverse("registry:persona_file", args=[SPOKE, "ml_engineer", 99])).status_code == 404
