"""A lineage graph without a database: how far things lie, what is proved, where boxes stand."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from portal.core.vocabulary import Provenance
from registry.lineage import facts, layout
from registry.lineage.graph import Edge, LineageGraph, Vertex, What, steps

from .graphs import ARN, START, graph, vertex

JOB = f"{ARN}:training-job/credit-risk-7"
RUN = f"{ARN}:pipeline/credit-risk/execution/abc123"


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (vertex("a", "DataSet"), What.DATA_SET),
        (vertex("a", "data_set"), What.DATA_SET),
        (Vertex(f"{ARN}:experiment-trial-component/x", "TrialComponent", "SageMakerTrainingJob"), What.TRAINING_JOB),
        (Vertex(f"{ARN}:experiment-trial-component/x-aws-processing-job", "TrialComponent"), What.PROCESSING_JOB),
        (vertex("a", "Whatever", source_uri=f"{ARN}:endpoint/live"), What.ENDPOINT),
        (vertex("a", "Whatever", source_uri=RUN), What.EXECUTION),
        (vertex("a", "Whatever", source_uri=f"{ARN}:pipeline/credit-risk"), What.PIPELINE),
        (vertex("a", "Whatever", source_uri="s3://bucket/:endpoint/x"), What.OTHER),
    ],
)
def test_a_vertex_is_known_by_its_type_or_where_it_comes_from(made: Vertex, what: What) -> None:
    assert made.what is what


def test_steps_count_from_the_version_both_ways_and_end_in_cycles() -> None:
    edges = [Edge("data", "job"), Edge("job", "v"), Edge("v", "endpoint"), Edge("endpoint", "data")]
    assert steps(["v"], edges) == {"v": 0, "job": -1, "data": -2, "endpoint": 1}


def test_what_is_kept_is_what_was_read() -> None:
    one = graph(("a", "start"), vertices=(vertex("a", properties={"k": "v"}, commit="abc"),))
    assert LineageGraph.from_json(json.loads(json.dumps(one.as_json()))) == one
    assert LineageGraph.from_json({}) == LineageGraph()


def test_everything_that_led_to_a_version_is_known_by_name() -> None:
    around = graph(
        ("data", "job"),
        ("job", "start"),
        ("run", "start"),
        ("clean", "data"),
        ("start", "live"),
        vertices=(
            vertex("data", "DataSet", source_uri="s3://bucket/train.csv"),
            vertex("job", "TrainingJob", source_uri=JOB, commit="4f2c1d9"),
            vertex("run", "PipelineExecution", source_uri=RUN),
            vertex("clean", "ProcessingJob", source_uri=f"{ARN}:processing-job/clean"),
            vertex("live", "Endpoint", source_uri=f"{ARN}:endpoint/live"),
        ),
    )
    assert facts.of_graph(around) == {
        Provenance.TRAINING_JOB: (JOB,),
        Provenance.DATA_SET: ("s3://bucket/train.csv",),
        Provenance.CODE_COMMIT: ("4f2c1d9",),
        Provenance.PROCESSING_JOB: (f"{ARN}:processing-job/clean",),
        Provenance.PIPELINE_EXECUTION: (RUN,),
        Provenance.ENDPOINT: (f"{ARN}:endpoint/live",),
    }


def test_what_came_after_proves_nothing_of_the_origin() -> None:
    after = graph(
        ("start", "capture"),
        ("start", "retrain"),
        vertices=(
            vertex("capture", "DataSet", source_uri="s3://bucket/captured"),
            vertex("retrain", "TrainingJob", source_uri=JOB, commit="4f2c1d9"),
        ),
    )
    assert facts.of_graph(after) == {}


def test_a_data_set_without_address_is_not_known() -> None:
    assert facts.of_graph(graph(("a", "start"), vertices=(vertex("a", "DataSet"),))) == {}


@pytest.mark.parametrize(
    ("more", "commit"),
    [
        ({"properties": {"Git-Commit": "deadbeef"}}, ("deadbeef",)),
        ({"generated_by": "git@example.org:credit.git@deadbeef"}, ("deadbeef",)),
        ({"generated_by": "somebody@example.org"}, ()),
        ({"properties": {"commit": ""}}, ()),
    ],
)
def test_a_commit_is_read_where_people_write_it(more: dict[str, Any], commit: tuple[str, ...]) -> None:
    around = graph(("code", "start"), vertices=(vertex("code", "Code", **more),))
    assert facts.of_graph(around).get(Provenance.CODE_COMMIT, ()) == commit


def test_a_version_tells_of_itself() -> None:
    described = {"MetadataProperties": {"CommitId": "abc1234", "GeneratedBy": RUN}}
    assert facts.of_description(described, JOB) == {
        Provenance.TRAINING_JOB: (JOB,),
        Provenance.CODE_COMMIT: ("abc1234",),
        Provenance.PIPELINE_EXECUTION: (RUN,),
    }
    unusable: tuple[Any, ...] = ({}, {"MetadataProperties": None}, {"MetadataProperties": [7]})
    for broken in (*unusable, {"MetadataProperties": {"CommitId": 7}}):
        assert facts.of_description(broken) == {}


def test_facts_are_bounded_and_kept() -> None:
    many = graph(
        *((f"d{number}", "start") for number in range(50)),
        vertices=tuple(vertex(f"d{number}", source_uri=f"s3://bucket/{number}") for number in range(50)),
    )
    found = facts.of_graph(many)
    assert len(found[Provenance.DATA_SET]) == facts.MOST_REFERENCES
    assert facts.from_json(json.loads(json.dumps(facts.as_json(found)))) == found
    assert facts.together(found, found) == found


def test_boxes_stand_left_of_what_they_led_to() -> None:
    picture = layout.drawn(graph(("a", "b"), ("b", "start"), ("a", "start"), ("start", "c"), ("d", "start")))
    columns = {box.vertex.arn.rsplit("/", 1)[1]: box.column for box in picture.boxes}
    assert columns == {"a": 0, "b": 1, "d": 1, "start": 2, "c": 3}
    assert not any(arrow.is_back for arrow in picture.arrows)
    assert len({(box.x, box.y) for box in picture.boxes}) == len(picture.boxes)
    assert all(box.x + layout.BOX_WIDTH <= picture.width for box in picture.boxes)
    assert all(box.y + layout.BOX_HEIGHT <= picture.height for box in picture.boxes)


def test_a_cycle_is_drawn_with_one_arrow_back() -> None:
    picture = layout.drawn(graph(("start", "a"), ("a", "b"), ("b", "start")))
    assert len(picture.boxes) == 3
    assert sum(arrow.is_back for arrow in picture.arrows) == 1


def test_five_hundred_entities_are_drawn_in_part_and_soon() -> None:
    many = graph(*((f"v{number}", f"v{number // 2}" if number > 1 else "start") for number in range(1, 500)))
    began = time.monotonic()
    picture = layout.drawn(many)
    whole = layout.drawn(many, most=500)
    assert time.monotonic() - began < 2
    assert (len(picture.boxes), picture.left_out) == (layout.MOST_DRAWN, 380)
    assert START in {box.vertex.arn for box in picture.boxes}
    assert (len(whole.boxes), whole.left_out) == (500, 0)


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = graph(*((f"v{number}", f"v{number + 1}") for number in range(3000)), ("v3000", "start"))
    assert len(layout.drawn(chain, most=4000).boxes) == 3002


def test_nothing_is_drawn_of_nothing() -> None:
    assert layout.drawn(LineageGraph()).boxes == ()
