"""A sandbox AWS as a process of its own, and what people in its accounts do with plain boto3."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from portal.local.ports import free_ports

ROOT = Path(__file__).resolve().parents[3]
HUB, DEVELOPMENT, TEST, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"
PERMISSION = "arn:aws:ram::aws:permission/AWSRAM"
DEFAULT = PERMISSION + "DefaultPermissionSageMakerModelPackageGroup"
ALLOW_DEPLOY = PERMISSION + "PermissionSageMakerModelPackageGroupAllowDeploy"
ALLOW_REGISTER = PERMISSION + "PermissionSageMakerModelPackageGroupAllowRegister"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_ONCE = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=16,
    s3={"addressing_style": "path"},
)
_SESSION = boto3.session.Session(region_name="us-east-1")  # one for all: it reads the service models once
_numbers = itertools.count(1)
_accounts = itertools.count(700_000_000_001)


def unique(prefix: str) -> str:
    """Return a name nothing else in the sandbox has."""
    return f"{prefix}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"


def fresh_account() -> str:
    """Return the id of an account that has nothing."""
    return str(next(_accounts))


class Aws:
    """One sandbox process and clients of it; the clients outlive a restart, as the portal's do."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory / "sandbox.log"
        self._arguments = arguments
        self._clients: dict[tuple[str, ...], Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    # ---- the process --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command(self.port, self.state, *self._arguments), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self._process.poll() is None, f"the sandbox stopped: {self.log.read_text()}"
            assert time.monotonic() < deadline, f"the sandbox did not answer in 60 s: {self.log.read_text()}"
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/sandbox/health", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, wait for its end and return its exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def close(self) -> None:
        if self._process is not None:
            self.stop()

    # ---- its own paths ------------------------------------------------------------------------------------------

    def fault(self, **wanted: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/sandbox/faults", json=wanted, timeout=10)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def calls(self, **only: str) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/sandbox/calls", params=only, timeout=10).json()["calls"])

    def forget(self) -> None:
        requests.delete(f"{self.url}/sandbox/faults", timeout=10)
        requests.delete(f"{self.url}/sandbox/calls", timeout=10)

    # ---- clients ------------------------------------------------------------------------------------------------

    def client(self, service: str, account: str | None = HUB, role: str = "Engineer", person: str = "somebody") -> Any:
        """Return a client with the keys of a role of the account (None: keys of no account)."""
        key = (service, account or "", role, person)
        if key not in self._clients:
            keys = {"AccessKeyId": "testing", "SecretAccessKey": "testing", "SessionToken": "testing"}
            if account:
                keys = self.assume(account, role, person)
            self._clients[key] = self.client_with(service, keys)
        return self._clients[key]

    def client_with(self, service: str, keys: dict[str, str]) -> Any:
        return _SESSION.client(
            service,
            endpoint_url=self.url,
            config=_ONCE,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def assume(self, account: str, role: str = "Engineer", person: str = "somebody", **more: Any) -> dict[str, str]:
        """Return fresh credentials of a role."""
        arn = f"arn:aws:iam::{account}:role/{role}"
        answer = self.client("sts", None).assume_role(RoleArn=arn, RoleSessionName=person, **more)
        return dict(answer["Credentials"])

    # ---- what people do -----------------------------------------------------------------------------------------

    def group(self, account: str = HUB, **more: Any) -> str:
        """Create a group and return its ARN."""
        made = self.client("sagemaker", account).create_model_package_group(
            ModelPackageGroupName=more.pop("name", None) or unique("group"), **more
        )
        return str(made["ModelPackageGroupArn"])

    def version(self, group: str, account: str = HUB, **more: Any) -> str:
        """Register a version and return its ARN."""
        made = self.client("sagemaker", account).create_model_package(
            **{"ModelPackageGroupName": group, "InferenceSpecification": specification(), **more}
        )
        return str(made["ModelPackageArn"])

    def read(self, arn: str, account: str = HUB) -> dict[str, Any]:
        """Describe a version, without the metadata of the answer."""
        found = self.client("sagemaker", account).describe_model_package(ModelPackageName=arn)
        return {k: v for k, v in found.items() if k != "ResponseMetadata"}

    def update(self, arn: str, account: str = HUB, **change: Any) -> None:
        self.client("sagemaker", account).update_model_package(ModelPackageArn=arn, **change)

    def offer(self, group: str, account: str = DEVELOPMENT, permission: str | None = None) -> tuple[str, str]:
        """Share a group of the hub; returns the ARNs of the share and of the invitation."""
        more = {"permissionArns": [permission]} if permission else {}
        share = self.client("ram").create_resource_share(
            name=unique("share"), resourceArns=[group], principals=[account], **more
        )["resourceShare"]["resourceShareArn"]
        return share, self.invitation(share, account)

    def invitation(self, share: str, account: str = DEVELOPMENT) -> str:
        """Return the ARN of the latest invitation to a share."""
        found = self.client("ram", account).get_resource_share_invitations(resourceShareArns=[share])
        return str(found["resourceShareInvitations"][-1]["resourceShareInvitationArn"])

    def accept(self, invitation: str, account: str = DEVELOPMENT) -> dict[str, Any]:
        answer = self.client("ram", account).accept_resource_share_invitation(resourceShareInvitationArn=invitation)
        return dict(answer["resourceShareInvitation"])

    def share(self, group: str, account: str = DEVELOPMENT, permission: str | None = None) -> str:
        """Share a group and accept; returns the share's ARN."""
        share, invitation = self.offer(group, account, permission)
        self.accept(invitation, account)
        return share

    def listener(self, pattern: dict[str, Any], account: str = HUB) -> str:
        """Make a queue and a rule that delivers to it; returns the queue's URL."""
        name = unique("events")
        sqs, events = self.client("sqs", account), self.client("events", account)
        url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:{account}:{name}"
        assert events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])["FailedEntryCount"] == 0
        return url

    def received(self, url: str, account: str = HUB) -> list[dict[str, Any]]:
        """Take every event out of a queue."""
        sqs, found = self.client("sqs", account), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


def command(port: int, state: Path, *arguments: str) -> list[str]:
    """Return the command line that starts a sandbox."""
    return [sys.executable, "-m", "portal.local.sandbox", "--port", str(port), "--state", str(state), *arguments]


def refused_start(port: int, state: Path) -> str:
    """Start a sandbox that must refuse, and return what it says."""
    ended = subprocess.run(
        command(port, state), cwd=ROOT, capture_output=True, text=True, timeout=30, check=False, env={**os.environ}
    )
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    return ended.stderr


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Aws]:
    """Run a sandbox for the length of a block."""
    aws = Aws(directory, *arguments)
    aws.start()
    try:
        yield aws
    finally:
        aws.close()


@contextmanager
def refused(code: str) -> Iterator[Callable[[], str]]:
    """Expect an AWS error; calling what is yielded gives its message."""
    with pytest.raises(ClientError) as caught:
        yield lambda: str(caught.value.response["Error"]["Message"])
    assert caught.value.response["Error"]["Code"] == code, caught.value


def specification(artifact: str = "s3://ml-artifacts-hub/model.tar.gz") -> dict[str, Any]:
    """Return an InferenceSpecification of one container."""
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
