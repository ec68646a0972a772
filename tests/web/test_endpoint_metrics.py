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
from registry.models import AccountRole, EndpointSeries
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
    template = client.get(file, {"execution_roles": "model-*", "as": "cloudformation"})
    assert template["Content-Disposition"] == f'attachment; filename="ml_engineer-{SPOKE}-cloudformation.json"'
    made = json.loads(template.content)["Resources"]["MlEngineer1"]
    assert (made["Type"], made["Properties"]["PolicyDocument"]) == (
        "AWS::IAM::ManagedPolicy",
        json.loads(answer.content),
    )
    assert client.get(file, {"execution_roles": "\x00"}).status_code == 400
    for how in ("", "cloudformation"):
        gone = reverse("registry:persona_file", args=[SPOKE, "nobody", 1])
        assert client.get(gone, {"as": how}).status_code == 404


def test_a_role_says_whether_it_is_bounded_and_who_takes_it(world: World, as_role: AsRole) -> None:
    client, page = as_role("ml_admin"), reverse("registry:account_personas", args=[SPOKE])
    assert "Whether it has a permissions boundary was not read yet." in client.get(page).content.decode()
    arn = f"arn:aws:iam::{SPOKE}:policy/bound"
    trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}}
    reading = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    for boundary, words in (
        ({"arn": arn, "document": reading, "problem": ""}, ("taken into account.", "Within its persona")),
        ({"arn": arn, "document": None, "problem": "IAM refused."}, ("IAM refused.", "Goes around the portal")),
    ):
        with operation(SYSTEM):
            AccountRole.objects.filter(pk=world.account_role.pk).update(boundary=boundary, trust=trust)
        shown = unescape(client.get(page).content.decode())
        for word in (*words, "Taken by SageMaker", "Service control policies are not read"):
            assert word in shown
    told = client.get(f"/api/v1/account-roles/{world.account_role.pk}/").json()
    assert (told["boundary"]["arn"], told["comparison"]["persona"]) == (arn, "compute")
    assert client.get(reverse("registry:persona_file", args=[SPOKE, "ml_engineer", 99])).status_code == 404
