"""The lineage around a version over recorded shapes: paged by hand, bounded, and told when something is missing."""

from __future__ import annotations

from typing import Any

import pytest

from registry.aws import lineage
from registry.aws.errors import AwsDenied, AwsError, AwsThrottled, AwsUnavailable
from registry.aws.session import AwsSession
from registry.lineage.graph import What
from tests.aws import recorded
from tests.aws.wire import Wire

ARN = "arn:aws:sagemaker:us-east-1:111111111111"
START, DATA = f"{ARN}:artifact/start", f"{ARN}:artifact/data"
JOB = f"{ARN}:experiment-trial-component/credit-risk-7-aws-training-job"
APPROVAL, ENDPOINT = f"{ARN}:action/approval", f"{ARN}:context/live"


def page(vertices: list[tuple[str, str, str]], edges: list[tuple[str, str]] = [], token: str = "") -> dict[str, Any]:  # noqa: B006
    return {
        "Vertices": [{"Arn": arn, "Type": kind, "LineageType": of} for arn, kind, of in vertices],
        "Edges": [{"SourceArn": a, "DestinationArn": b, "AssociationType": "ContributedTo"} for a, b in edges],
        **({"NextToken": token} if token else {}),
    }


def begin(wire: Wire, *arns: str) -> None:
    wire.answer("sagemaker", "ListArtifacts", {"ArtifactSummaries": [{"ArtifactArn": arn} for arn in arns]})


def artifact(arn: str, uri: str, kind: str = "DataSet", **more: Any) -> dict[str, Any]:
    return {"ArtifactArn": arn, "Source": {"SourceUri": uri}, "ArtifactType": kind, **more}


def test_a_graph_is_read_both_ways_page_by_page(wire: Wire, session: AwsSession) -> None:
    begin(wire, START)
    wire.answer("sagemaker", "QueryLineage", page([(START, "ModelPackage", "Artifact")], token="more"))
    up = page(
        [(JOB, "SageMakerTrainingJob", "TrialComponent"), (DATA, "DataSet", "Artifact")], [(DATA, JOB), (JOB, START)]
    )
    wire.answer("sagemaker", "QueryLineage", up)
    down = [(APPROVAL, "Approval", "Action"), (ENDPOINT, "Endpoint", "Context")]
    wire.answer("sagemaker", "QueryLineage", page(down, [(START, APPROVAL), (APPROVAL, ENDPOINT)]))
    wire.answer("sagemaker", "DescribeArtifact", artifact(START, recorded.VERSION_ARN, "ModelPackage"))
    wire.answer(
        "sagemaker",
        "DescribeArtifact",
        artifact(
            DATA, "s3://bucket/train.csv", CreationTime=recorded.CREATED_AT, MetadataProperties={"CommitId": "abc"}
        ),
    )
    wire.answer(
        "sagemaker",
        "DescribeAction",
        {"ActionName": "approval", "ActionType": "Approval", "Status": "Completed", "Properties": {"by": "jane"}},
    )
    wire.answer("sagemaker", "DescribeContext", {"ContextName": "live", "ContextType": "Endpoint"})
    graph = lineage.read(session, recorded.VERSION_ARN)
    assert graph is not None
    assert wire.asked("ListArtifacts")[0]["SourceUri"] == recorded.VERSION_ARN
    asked = wire.asked("QueryLineage")
    assert [one["Direction"] for one in asked] == ["Ascendants", "Ascendants", "Descendants"]
    assert [one.get("NextToken") for one in asked] == [None, "more", None]
    assert all((one["MaxDepth"], one["MaxResults"], one["StartArns"]) == (10, 50, [START]) for one in asked)
    assert {vertex.arn: vertex.step for vertex in graph.vertices} == {
        START: 0,
        JOB: -1,
        DATA: -2,
        APPROVAL: 1,
        ENDPOINT: 2,
    }
    told = {vertex.arn: vertex for vertex in graph.vertices}
    assert (told[DATA].source_uri, told[DATA].commit, told[DATA].created_at[:4]) == (
        "s3://bucket/train.csv",
        "abc",
        "2024",
    )
    assert (told[APPROVAL].status, told[APPROVAL].properties) == ("Completed", {"by": "jane"})
    assert (told[JOB].what, told[JOB].label) == (What.TRAINING_JOB, "credit-risk-7")
    assert (len(graph.edges), graph.cut) == (4, ())


def test_a_version_without_artifact_has_no_lineage(wire: Wire, session: AwsSession) -> None:
    begin(wire)
    assert lineage.read(session, recorded.VERSION_ARN) is None


def test_bounds_are_told(wire: Wire, session: AwsSession) -> None:
    begin(wire, START)
    chain = [f"{ARN}:artifact/{number:03}" for number in range(60)]
    edges = list(zip(chain, [START, *chain], strict=False))
    wire.answer("sagemaker", "QueryLineage", page([(a, "DataSet", "Artifact") for a in chain[:50]], edges[:50], "more"))
    wire.answer("sagemaker", "QueryLineage", page([], []))
    wire.answer("sagemaker", "DescribeArtifact", artifact(START, "x"), times=5)
    graph = lineage.read(session, recorded.VERSION_ARN, max_vertices=20, max_described=5)
    assert graph is not None
    assert len(graph.vertices) == 20
    assert sum(vertex.described for vertex in graph.vertices) == 5
    assert [words.split(" ")[0] for words in graph.cut] == ["There", "SageMaker", "Only"]
    assert all({edge.source, edge.destination} <= {one.arn for one in graph.vertices} for edge in graph.edges)


def test_what_is_gone_meanwhile_and_what_is_broken_is_left_as_it_was_named(wire: Wire, session: AwsSession) -> None:
    begin(wire, START)
    wire.answer("sagemaker", "QueryLineage", page([(DATA, "DataSet", "Artifact")], [(DATA, START), (DATA, DATA)]))
    wire.answer("sagemaker", "QueryLineage", {"Vertices": [{}, {"Arn": ENDPOINT}], "Edges": [{"SourceArn": START}]})
    wire.answer("sagemaker", "DescribeArtifact", {})
    wire.refuse("DescribeArtifact", "ResourceNotFound", "gone")
    graph = lineage.read(session, recorded.VERSION_ARN)
    assert graph is not None
    assert {vertex.arn for vertex in graph.vertices} == {START, DATA, ENDPOINT}
    assert [(edge.source, edge.destination) for edge in graph.edges] == [(DATA, START)]
    assert {vertex.arn: vertex.described for vertex in graph.vertices} == {START: True, DATA: False, ENDPOINT: False}


def test_a_token_that_never_ends_is_an_error(wire: Wire, session: AwsSession) -> None:
    begin(wire, START)
    wire.answer("sagemaker", "QueryLineage", page([], [], "same"), times=2)
    with pytest.raises(AwsUnavailable):
        lineage.read(session, recorded.VERSION_ARN)


@pytest.mark.parametrize(
    ("operation", "code", "kind", "is_not_offered"),
    [
        ("ListArtifacts", "UnknownOperationException", AwsError, True),
        ("ListArtifacts", "AccessDeniedException", AwsDenied, False),
        ("QueryLineage", "ThrottlingException", AwsThrottled, False),
    ],
)
def test_refusals_are_named(
    wire: Wire, session: AwsSession, operation: str, code: str, kind: type[AwsError], is_not_offered: bool
) -> None:
    if operation == "QueryLineage":
        begin(wire, START)
    wire.refuse(operation, code, "no", times=4 if kind is AwsThrottled else 1)
    with pytest.raises(kind) as caught:
        lineage.read(session, recorded.VERSION_ARN)
    assert lineage.is_not_offered(caught.value) is is_not_offered


def test_what_may_not_be_described_is_drawn_without_words(wire: Wire, session: AwsSession) -> None:
    begin(wire, START)
    wire.answer("sagemaker", "QueryLineage", page([(APPROVAL, "Approval", "Action")], [(APPROVAL, START)]))
    wire.answer("sagemaker", "QueryLineage", page([]))
    wire.answer("sagemaker", "DescribeArtifact", artifact(START, recorded.VERSION_ARN, "ModelPackage"))
    wire.refuse("DescribeAction", "AccessDeniedException", "no")
    graph = lineage.read(session, recorded.VERSION_ARN)
    assert graph is not None
    assert {one.arn: one.described for one in graph.vertices} == {START: True, APPROVAL: False}
    [words] = graph.cut
    assert "DescribeAction" in words


def test_the_same_answer_in_another_order_is_the_same_graph(wire: Wire, session: AwsSession) -> None:
    found = []
    for turn in (1, -1):
        begin(wire, START)
        wire.answer(
            "sagemaker",
            "QueryLineage",
            page(
                [(DATA, "DataSet", "Artifact"), (JOB, "SageMakerTrainingJob", "TrialComponent")][::turn],
                [(DATA, JOB), (JOB, START), (JOB, f"{ARN}:artifact/nowhere")][::turn],
            ),
        )
        wire.answer("sagemaker", "QueryLineage", page([]))
        wire.answer("sagemaker", "DescribeArtifact", artifact(START, recorded.VERSION_ARN), times=2)
        found.append(lineage.read(session, recorded.VERSION_ARN))
    one, other = found
    assert one is not None
    assert one == other
    assert one.cut == ("1 association leads to or from what SageMaker does not tell of.",)
