"""SageMaker's lineage on the version's page, as a file and over the API; and a policy that asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from governance.models import PolicyVersion
from governance.policies.facts import Outcome
from governance.selectors import policy as policies
from governance.selectors import policy_preview
from governance.services import approvals, gate
from governance.services import policies as services
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import Provenance, RiskRating, Stage, SubjectKind
from registry.lineage.graph import Edge, LineageGraph, Vertex
from registry.models import ModelVersion, TrainingProvenance, VersionLineage
from registry.services import lineage
from tests.api.world import World
from tests.registry.lineage.graphs import ARN, START, graph, vertex

AsRole = Callable[[str], Client]
SYSTEM = Actor.system("sync")
HOSTILE = '"><script>alert(1)</script>'


def around(world: World, *more: Vertex) -> LineageGraph:
    arn = ModelVersion.objects.get(pk=world.trial.pk).arn
    return graph(
        ("data", "job"),
        ("job", "start"),
        ("start", "live"),
        vertices=(
            Vertex(START, "Artifact", "ModelPackage", source_uri=arn, described=True),
            vertex("data", source_uri="s3://bucket/train.csv", name=HOSTILE),
            vertex("job", "TrainingJob", source_uri=f"{ARN}:training-job/credit-risk-7", commit="4f2c1d9"),
            vertex("live", "Endpoint", source_uri=f"{ARN}:endpoint/credit-live"),
            *more,
        ),
    )


def keep(world: World, found: LineageGraph | None) -> None:
    lineage.take_in(actor=SYSTEM, version=ModelVersion.objects.get(pk=world.trial.pk), graph=found)


def page(client: Client, world: World, name: str = "version_aws_lineage") -> Any:
    return client.get(reverse(f"governance:{name}", args=[world.trial.pk]))


def test_nobody_looked_and_nothing_found_are_not_the_same(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    assert "Not read yet." in page(client, world).content.decode()
    keep(world, None)
    assert "SageMaker has no lineage of this version" in page(client, world).content.decode()


def test_the_graph_is_drawn_and_told_and_linked(world: World, as_role: AsRole) -> None:
    keep(world, around(world))
    text = page(as_role("data_scientist"), world).content.decode()
    drawing = text.partition('<svg class="lineage-drawing"')[2].partition("</svg>")[0]
    assert drawing.count("<rect") == 4
    assert drawing.count("lineage-arrow") == 3
    assert "style=" not in drawing
    assert reverse("registry:version", args=[world.trial.pk]) in drawing
    assert f"{reverse('governance:endpoint_list')}?q=credit-live" in drawing
    table = unescape(re.sub("<[^>]+>", "", text.partition("<table")[2].partition("</table>")[0]))
    assert f"Data set: {HOSTILE} (s3://bucket/train.csv)" in table
    assert "contributed to" in table
    assert "<script>alert" not in text
    assert "s3://bucket/train.csv" in text
    assert text.count(">Known<") == 4, "training job, data set, code commit and endpoint"
    assert text.count(">Not reported<") == 2


def test_a_cut_graph_says_so_and_five_hundred_stay_a_page(world: World, as_role: AsRole) -> None:
    vertices = tuple(Vertex(f"{ARN}:artifact/{n}", "Artifact", "DataSet", -1) for n in range(499))
    edges = tuple(Edge(one.arn, START) for one in vertices)
    keep(world, LineageGraph((START,), (Vertex(START), *vertices), edges, ("There are more than 500 entities.",)))
    client = as_role("governance_officer")
    page(client, world)
    with CaptureQueriesContext(connection) as captured:
        text = page(client, world).content.decode()
    assert len(captured) <= 20, [query["sql"][:80] for query in captured]
    assert "Drawn are the 120 nearest things; 380 more are in the table." in text
    assert "There are more than 500 entities." in text
    assert len(text) < 1_000_000


def test_what_could_not_be_read_again_stays_with_the_reason(world: World, as_role: AsRole) -> None:
    keep(world, around(world))
    keep(world, None)
    text = unescape(page(as_role("data_scientist"), world).content.decode())
    assert lineage.GONE in text
    assert "lineage-drawing" in text


def test_the_file_has_all_of_it(world: World, as_role: AsRole) -> None:
    found = around(world)
    keep(world, found)
    answer = page(as_role("auditor"), world, "version_aws_lineage_file")
    told = json.loads(b"".join(answer.streaming_content))
    assert answer["Content-Disposition"].startswith("attachment")
    assert LineageGraph.from_json(told["graph"]) == found
    assert told["facts"]["data_set"] == ["s3://bucket/train.csv"]
    assert told["read_at"] is not None


def test_the_api_tells_the_same(world: World) -> None:
    unread = world.api("auditor").get(f"model-versions/{world.trial.pk}/lineage/")["sagemaker"]
    assert (unread["read_at"], unread["found"], unread["vertices"]) == (None, False, [])
    keep(world, around(world))
    told = world.api("auditor").get(f"model-versions/{world.trial.pk}/lineage/")["sagemaker"]
    assert {one["what"] for one in told["vertices"]} == {"Model version", "Data set", "Training job", "Endpoint"}
    assert len(told["edges"]) == 3
    assert {"provenance": "code_commit", "reference": "4f2c1d9", "source": "SageMaker's lineage"} in told["known"]


def test_a_policy_asks_for_it_page_by_page(world: World, as_role: AsRole) -> None:
    client = as_role("ml_admin")
    url = reverse("governance:policy_cell", args=[world.policy_draft, "model_version", "qa", "high"])
    assert "Code commit known" in client.get(url).content.decode()
    use_case = reverse("governance:policy_cell", args=[world.policy_draft, "use_case", "poc", "high"])
    assert "Code commit known" not in client.get(use_case).content.decode()
    draft = PolicyVersion.objects.get(number=world.policy_draft)
    values = {
        "revision": draft.revision,
        "count_governance_officer": 1,
        "days_until_due": 5,
        "days_until_expiry": 30,
        "provenance": ["data_set", "code_commit"],
    }
    answer = client.post(url, values)
    assert answer.status_code == 302, answer.context["form"].errors
    assert "Data set known" in client.get(answer["Location"]).content.decode()
    refused = client.post(url, {**values, "revision": draft.revision + 1, "provenance": ["endpoint"]})
    assert refused.status_code in (200, 422)
    assert "endpoint" in refused.context["form"].errors["provenance"][0]


@pytest.fixture
def asking(world: World) -> PolicyVersion:
    """A draft that asks every model version at QA for its data set."""
    admin = world.people.admin.actor
    made = services.draft(actor=admin)
    for tier in (RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW):
        cell = policies.matrix_of(made).cell(SubjectKind.MODEL_VERSION, Stage.QA, tier)
        assert cell is not None
        changed = type(cell)(**{**cell.__dict__, "provenance": (Provenance.DATA_SET,)})
        made = services.set_rule(actor=admin, policy_id=made.pk, revision=made.revision, rule=changed)
    return made


def test_the_preview_shows_how_a_version_stands(world: World, asking: PolicyVersion) -> None:
    version = ModelVersion.objects.get(pk=world.trial.pk)

    def outcome() -> Outcome:
        found = policy_preview.of_subject(asking, version, Stage.QA).checks
        return next(check.outcome for check in found if check.key == "provenance:data_set")

    assert outcome() is Outcome.MISSING
    keep(world, graph())
    assert outcome() is Outcome.FAIL
    with operation(SYSTEM):
        VersionLineage.objects.filter(version=version).update(of_modification=None)
    keep(world, around(world))
    assert outcome() is Outcome.PASS


def test_what_is_not_known_stops_a_decision_and_the_gate_end_to_end(world: World, as_role: AsRole) -> None:
    """The decision page, what blocks the version, and the gate say the same of where it comes from."""
    admin = world.people.admin.actor
    made = services.draft(actor=admin, note="Know where it comes from.")
    asked = (Provenance.TRAINING_JOB, Provenance.DATA_SET, Provenance.CODE_COMMIT, Provenance.LICENCE_ACCEPTED)
    for rule in policies.rules_of(made):
        if rule.kind is SubjectKind.MODEL_VERSION and rule.stage is Stage.QA:
            bare = replace(rule, evidence=(), metrics=(), provenance=asked)
            made = services.set_rule(actor=admin, policy_id=made.pk, revision=made.revision, rule=bare)
    services.publish(actor=admin, policy_id=made.pk, revision=made.revision)
    approvals.withdraw(actor=world.people.scientist.actor, request_id=world.version_request.pk)
    request = approvals.submit(
        actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=world.trial.pk, note="Again."
    )
    officer = as_role("governance_officer")

    def outcomes() -> dict[str, str]:
        gate_says = gate.ask(world.people.officer.actor, world.trial.arn, "qa", "333333333333")
        pages = {
            "decision": officer.get(reverse("governance:request", args=[request.pk])),
            "blocks": officer.get(reverse("governance:version_panel", args=[world.trial.pk])),
        }
        found = {name: unescape(re.sub("<[^>]+>", " ", page.content.decode())) for name, page in pages.items()}
        return {**found, "gate": " ".join(reason.detail for reason in gate_says.reasons)}

    for where, words in outcomes().items():
        assert "Data set known: not known. Its lineage is not read yet." in words, where
        assert "Code commit known: not known." in words, where
        assert "How it was trained is not read yet." in words, where
    answer = officer.post(
        reverse("governance:request", args=[request.pk]), {"verdict": "approve", "digest": request.digest}
    )
    request.refresh_from_db()
    assert (request.state, answer.status_code != 500) == ("open", True)
    keep(world, around(world))
    TrainingProvenance.objects.create(
        version_id=world.trial.pk, job_arn=f"{ARN}:training-job/credit-risk-7", job_name="credit-risk-7",
        source="version", status="Completed", eula_accepted=False, hub={"title": "Llama 3"}, tried_at=timezone.now(),
    )  # fmt: skip
    for where, words in outcomes().items():
        assert "Data set known: not known" not in words, where
        assert "The licence agreement of Llama 3 was not accepted." in words, where
    TrainingProvenance.objects.filter(version=world.trial.pk).update(eula_accepted=True)
    told = outcomes()
    assert "was not accepted" not in "".join(told.values())
    assert "4f2c1d9, by SageMaker's lineage." in told["decision"]
    assert "known" not in told["gate"]


def test_jobs_runs_and_endpoints_lead_to_the_portals_own_pages(world: World, as_role: AsRole) -> None:
    live = world.served.endpoint
    component = f"{ARN}:experiment-trial-component/credit-7-aws-training-job"
    keep(
        world,
        around(
            world,
            Vertex(component, "TrialComponent", "SageMakerTrainingJob", -1),
            vertex("here", "Endpoint", source_uri=live.arn),
            vertex("nowhere", "TrainingJob", source_uri=f"{ARN}:training-job/of-nobody"),
        ),
    )
    TrainingProvenance.objects.create(
        version_id=world.trial.pk, job_arn=f"{ARN}:training-job/Credit-7", job_name="Credit-7",
        account_id_copy="222222222222", region="us-east-1", tried_at=timezone.now(),
    )  # fmt: skip
    told = world.api("auditor").get(f"model-versions/{world.trial.pk}/lineage/")["sagemaker"]["vertices"]
    paths = {one["arn"]: one["path"] for one in told}
    assert paths[component] == reverse("registry:version_training", args=[world.trial.pk])
    assert paths[f"{ARN}:artifact/here"] == reverse("governance:endpoint", args=[live.pk])
    assert paths[f"{ARN}:artifact/live"] == f"{reverse('governance:endpoint_list')}?q=credit-live"
    assert paths[f"{ARN}:artifact/nowhere"] == ""
