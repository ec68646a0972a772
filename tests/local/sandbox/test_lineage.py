"""Lineage in the sandbox: what contributed to what, asked for by source, by association and by walking."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.local.sandbox.world import Aws, fresh_account, refused, running, unique

PACKAGE = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/1"


def artifact(sagemaker: Any, uri: str, kind: str = "DataSet", **more: Any) -> str:
    made = sagemaker.create_artifact(Source={"SourceUri": uri}, ArtifactType=kind, **more)
    return str(made["ArtifactArn"])


def chain(sagemaker: Any, length: int) -> list[str]:
    """Artifacts, each of which contributed to the next."""
    arns = [artifact(sagemaker, f"s3://bucket/{number}") for number in range(length)]
    for source, destination in pairwise(arns):
        sagemaker.add_association(SourceArn=source, DestinationArn=destination, AssociationType="ContributedTo")
    return arns


def walked(sagemaker: Any, **asked: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """Every page of a query: vertices and edges."""
    vertices: list[str] = []
    edges: list[tuple[str, str]] = []
    token: dict[str, str] = {}
    while True:
        page = sagemaker.query_lineage(**asked, **token)
        vertices += [v["Arn"] for v in page["Vertices"]]
        edges += [(e["SourceArn"], e["DestinationArn"]) for e in page["Edges"]]
        if not page.get("NextToken"):
            return vertices, edges
        token = {"NextToken": page["NextToken"]}


def tell(sagemaker: Any) -> None:
    """Call every lineage operation once, with an answer that has something in it."""
    name = unique("lineage")
    made = artifact(sagemaker, PACKAGE, "ModelPackage", ArtifactName=name, MetadataProperties={"CommitId": "abc"})
    action = sagemaker.create_action(
        ActionName=name, Source={"SourceUri": "s3://b/c"}, ActionType="Approval", Status="Completed"
    )["ActionArn"]
    context = sagemaker.create_context(ContextName=name, Source={"SourceUri": "x"}, ContextType="Endpoint")[
        "ContextArn"
    ]
    for other in (action, context):
        sagemaker.add_association(SourceArn=made, DestinationArn=other)
    sagemaker.describe_artifact(ArtifactArn=made)
    sagemaker.describe_action(ActionName=name)
    sagemaker.describe_context(ContextName=context)
    sagemaker.list_artifacts(SourceUri=PACKAGE, MaxResults=1)
    sagemaker.list_actions()
    sagemaker.list_contexts(SortBy="Name")
    sagemaker.list_associations(SourceArn=made)
    sagemaker.query_lineage(StartArns=[made])
    sagemaker.delete_association(SourceArn=made, DestinationArn=context)


def test_what_contributed_is_found_both_ways_and_page_by_page(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker", fresh_account())
    arns = chain(sagemaker, 5)
    ways = {
        way: set(walked(sagemaker, StartArns=[arns[2]], Direction=way, MaxResults=2)[0])
        for way in ("Ascendants", "Descendants", "Both")
    }
    assert ways == {"Ascendants": set(arns[:3]), "Descendants": set(arns[2:]), "Both": set(arns)}
    _, edges = walked(sagemaker, StartArns=[arns[0]], MaxResults=1)
    assert sorted(edges) == sorted(pairwise(arns))
    assert walked(sagemaker, StartArns=[arns[0]], IncludeEdges=False)[1] == []
    assert set(walked(sagemaker, StartArns=[arns[0]], MaxDepth=1)[0]) == set(arns[:2])


def test_a_cycle_ends_and_a_filter_keeps_what_it_names(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker", fresh_account())
    arns = chain(sagemaker, 3)
    sagemaker.add_association(SourceArn=arns[2], DestinationArn=arns[0])
    model = artifact(sagemaker, "s3://bucket/model", "Model", Properties={"stage": "qa"})
    sagemaker.add_association(SourceArn=arns[0], DestinationArn=model, AssociationType="Produced")
    vertices, edges = walked(sagemaker, StartArns=[arns[0]])
    assert (sorted(vertices), len(edges)) == (sorted([*arns, model]), 4)
    for filters in ({"Types": ["Model"]}, {"Properties": {"stage": "qa"}}):
        assert walked(sagemaker, StartArns=[arns[0]], Filters=filters)[0] == [model]
    assert walked(sagemaker, StartArns=[arns[0]], Filters={"LineageTypes": ["Context"]})[0] == []


def test_trial_components_of_jobs_take_part(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker", fresh_account())
    job = sagemaker.create_trial_component(TrialComponentName="scores-aws-training-job")["TrialComponentArn"]
    data = artifact(sagemaker, "s3://bucket/train.csv")
    sagemaker.add_association(SourceArn=data, DestinationArn=job)
    found = sagemaker.query_lineage(StartArns=[data])["Vertices"]
    assert {(v["Type"], v["LineageType"]) for v in found} == {
        ("DataSet", "Artifact"),
        ("SageMakerTrainingJob", "TrialComponent"),
    }


def test_lists_are_filtered_and_paged(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker", fresh_account())
    arns = [artifact(sagemaker, PACKAGE, "ModelPackage") for _ in range(3)] + [artifact(sagemaker, "s3://b/x")]
    pages = list(
        sagemaker.get_paginator("list_artifacts").paginate(SourceUri=PACKAGE, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["ArtifactSummaries"]) for page in pages] == [2, 1]
    assert {a["ArtifactArn"] for page in pages for a in page["ArtifactSummaries"]} == set(arns[:3])
    assert [a["ArtifactArn"] for a in sagemaker.list_artifacts(ArtifactType="DataSet")["ArtifactSummaries"]] == arns[3:]
    sagemaker.add_association(SourceArn=arns[3], DestinationArn=arns[0], AssociationType="DerivedFrom")
    (found,) = sagemaker.list_associations(AssociationType="DerivedFrom")["AssociationSummaries"]
    assert (found["SourceType"], found["DestinationType"]) == ("DataSet", "ModelPackage")
    sagemaker.delete_association(SourceArn=arns[3], DestinationArn=arns[0])
    assert sagemaker.list_associations()["AssociationSummaries"] == []


def test_what_aws_refuses_is_refused(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker", fresh_account())
    arns = chain(sagemaker, 2)
    for asked in (
        {"StartArns": arns},
        {"StartArns": arns[:1], "MaxDepth": 11},
        {"StartArns": arns[:1], "MaxResults": 51},
    ):
        with refused("ValidationException"):
            sagemaker.query_lineage(**asked)
    with refused("ResourceNotFound"):
        sagemaker.query_lineage(StartArns=[arns[0][:-1] + "x"])
    with refused("ResourceNotFound"):
        sagemaker.describe_artifact(ArtifactArn=arns[0] + "x")
    with refused("ResourceNotFound"):
        sagemaker.add_association(SourceArn=arns[0], DestinationArn=arns[0] + "x")
    with refused("ResourceNotFound"):
        sagemaker.delete_association(SourceArn=arns[1], DestinationArn=arns[0])
    with refused("ValidationException"):
        sagemaker.add_association(SourceArn=arns[0], DestinationArn=arns[0])
    sagemaker.create_context(ContextName="once", Source={"SourceUri": "x"}, ContextType="Endpoint")
    with refused("ValidationException"):
        sagemaker.create_context(ContextName="once", Source={"SourceUri": "x"}, ContextType="Endpoint")


def test_lineage_is_there_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as own:
        sagemaker = own.client("sagemaker")
        arns = chain(sagemaker, 3)
        own.stop(signal.SIGKILL)
        own.start()
        assert set(walked(sagemaker, StartArns=[arns[0]])[0]) == set(arns)
