"""Many at once: numbers stay distinct, reads do not break, a long poll stops nobody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from tests.local.sandbox.world import ALLOW_REGISTER, DEVELOPMENT, HUB, Aws, fresh_account, unique

THREADS, EACH = 8, 10


def test_versions_made_at_once_have_distinct_numbers_and_events(aws: Aws) -> None:
    group = aws.group()
    aws.share(group, DEVELOPMENT, ALLOW_REGISTER)
    queue = aws.listener({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group.rsplit("/", 1)[1]]}})
    aws.forget()

    def register(number: int) -> list[str]:
        return [aws.version(group, HUB if number % 2 else DEVELOPMENT) for _ in range(EACH)]

    with ThreadPoolExecutor(THREADS) as pool:
        made = [arn for arns in pool.map(register, range(THREADS)) for arn in arns]
    assert sorted(int(arn.rsplit("/", 1)[1]) for arn in made) == list(range(1, THREADS * EACH + 1))
    assert {call["status"] for call in aws.calls(operation="CreateModelPackage")} == {200}
    assert sorted(e["detail"]["ModelPackageVersion"] for e in aws.received(queue)) == list(range(1, THREADS * EACH + 1))


def test_reading_while_others_write_never_fails(aws: Aws) -> None:
    account = fresh_account()
    group, over = aws.group(account), threading.Event()
    sagemaker = aws.client("sagemaker", account)
    aws.forget()

    def read() -> int:
        rounds = 0
        while not over.is_set():
            sagemaker.list_model_packages(ModelPackageGroupName=group)
            sagemaker.search(Resource="ModelPackage", SortBy="CreationTime")
            rounds += 1
        return rounds

    with ThreadPoolExecutor(THREADS) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        list(pool.map(lambda _: aws.version(group, account), range(30)))
        over.set()
        assert all(reader.result() for reader in readers)
    assert {call["status"] for call in aws.calls(account=account)} == {200}


def test_updates_at_once_all_leave_their_key(aws: Aws) -> None:
    arn = aws.version(aws.group())
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: aws.update(arn, CustomerMetadataProperties={f"k{n}": "v"}), range(40)))
    assert set(aws.read(arn)["CustomerMetadataProperties"]) == {f"k{n}" for n in range(40)}


def test_one_of_many_creates_the_group(aws: Aws) -> None:
    name = unique("group")

    def create(_: int) -> str:
        try:
            aws.group(name=name)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "created"

    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(create, range(THREADS)))
    assert answers == ["ValidationException"] * (THREADS - 1) + ["created"]


def test_each_message_is_received_by_one(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    for number in range(40):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))

    def receive(_: int) -> list[str]:
        found: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=3).get("Messages", []):
            found += [m["Body"] for m in messages]
        return found

    with ThreadPoolExecutor(4) as pool:
        received = [body for bodies in pool.map(receive, range(4)) for body in bodies]
    assert sorted(map(int, received)) == list(range(40))


def test_a_long_poll_is_woken_and_stops_nobody(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        time.sleep(0.1)
        begun = time.monotonic()
        aws.group()
        assert not poll.done()
        sqs.send_message(QueueUrl=url, MessageBody="wake")
        assert poll.result(10)["Messages"][0]["Body"] == "wake"
        assert time.monotonic() - begun < 10
