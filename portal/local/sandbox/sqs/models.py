"""Keep queues and messages across restarts, and let a long poll wait without holding the others up.

Being in flight is not kept: after a restart a message that was received but not deleted is visible again, as after any
visibility timeout. Its old receipt handle still deletes it.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import moto.sqs.urls
from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend

from ..state import journal


class _Nothing(list[Any]):
    """moto tracks every instance of a model for its dashboard; for messages that would be a leak."""

    def append(self, item: Any) -> None:
        pass


class SandboxMessage(Message):
    """A message whose receipt handles name it, so that they hold after a restart."""

    sequence = 0

    def mark_received(self, visibility_timeout: int | None = None) -> None:
        super().mark_received(visibility_timeout)
        self.receipt_handle = f"{self.id}.{self.receipt_handle}"

    def had_receipt_handle(self, receipt_handle: str) -> bool:
        return receipt_handle.partition(".")[0] == self.id


SandboxMessage.instances_tracked = _Nothing()  # type: ignore[attr-defined]  # moto's metaclass adds it
Message.instances_tracked = _Nothing()  # type: ignore[attr-defined]

_sequence = itertools.count(int(time.time() * 1_000_000))


class SandboxQueue(Queue):
    """A queue that tells the journal about its messages."""

    def touch(self, message: Message | None = None) -> None:
        """Note a change of the queue, or the arrival or departure of one of its messages."""
        if message is None:
            journal.touch("sqs", self.account_id, self.region, "queue", self.name)
        else:
            journal.touch("sqs", self.account_id, self.region, "message", f"{self.name}/{message.id}")

    # moto counts the messages three times for every one it sends, and reads the clock for each of them: a change would
    # cost the more the longer nobody reads the queue. One reading a count keeps that below a millisecond.

    @property
    def messages(self) -> list[Message]:
        now = unix_time_millis()
        return [m for m in self._messages if m.visible_at < now and m.delayed_until <= now]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        now = unix_time_millis()
        return sum(now < m.delayed_until for m in self._messages)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        now = unix_time_millis()
        return sum(now <= m.visible_at for m in self._messages)

    def add_message(self, message: Message) -> None:
        message.__class__ = SandboxMessage
        assert isinstance(message, SandboxMessage)
        message.sequence = message.sequence or next(_sequence)
        super().add_message(message)
        if message in self._messages:  # a FIFO duplicate is dropped
            self.touch(message)

    def delete_message(self, receipt_handle: str) -> None:
        message_id = receipt_handle.partition(".")[0]
        kept = [m for m in self._messages if m.id != message_id]
        if len(kept) == len(self._messages) and "." in receipt_handle:
            return  # deleted before: SQS answers success
        for message in self._messages:
            if message.id == message_id:
                self.pending_messages.discard(message)
                self.touch(message)
        if len(kept) == len(self._messages):
            super().delete_message(receipt_handle)  # raises: the handle was never one of ours
        self._messages = kept

    def find(self, message_id: str) -> Message | None:
        """The message of that id, in flight or not; None when it is gone."""
        return next((m for m in reversed(self._messages) if m.id == message_id), None)

    def held(self) -> list[Message]:
        """The messages now, in flight or not."""
        return list(self._messages)

    def put_back(self, message: SandboxMessage) -> None:
        """Take a message read from the state; ``sort`` brings them in order."""
        self._messages.append(message)

    def sort(self) -> None:
        """Bring messages put back into the order they were sent in."""
        self._messages.sort(key=lambda m: m.sequence if isinstance(m, SandboxMessage) else 0)

    def drop_all(self) -> None:
        """Let every message go."""
        for message in self._messages:
            self.touch(message)
        self._messages = []

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_messages", "_pending_messages", "_messages_lock", "deleted_messages", "dead_letter_queue")
        return {k: v for k, v in self.__dict__.items() if k not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _messages=[], _pending_messages=set(), deleted_messages=set())
        self.__dict__.update(_messages_lock=threading.Condition(), dead_letter_queue=None)


class SandboxSQSBackend(SQSBackend):
    """SQS of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.sqs.urls

    def _queue(self, name: str) -> SandboxQueue:
        queue = self.get_queue(name)
        assert isinstance(queue, SandboxQueue)
        return queue

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        queue = super().create_queue(name, tags, **kwargs)
        queue.__class__ = SandboxQueue  # type: ignore[type-abstract]  # moto makes queues of it all the same
        assert isinstance(queue, SandboxQueue)
        queue.touch()
        return queue

    def delete_queue(self, queue_name: str) -> None:
        queue = self._queue(queue_name)
        queue.drop_all()
        queue.touch()
        super().delete_queue(queue_name)

    def purge_queue(self, queue_name: str) -> None:
        self._queue(queue_name).drop_all()
        super().purge_queue(queue_name)

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        self._queue(queue_name).touch()
        return super().set_queue_attributes(queue_name, attributes)

    def tag_queue(self, queue_name: str, tags: dict[str, str]) -> None:
        self._queue(queue_name).touch()
        super().tag_queue(queue_name, tags)

    def untag_queue(self, queue_name: str, tag_keys: list[str]) -> None:
        self._queue(queue_name).touch()
        super().untag_queue(queue_name, tag_keys)

    def add_permission(
        self, region_name: str, queue_name: str, actions: list[str], account_ids: list[str], label: str
    ) -> None:
        self._queue(queue_name).touch()
        super().add_permission(region_name, queue_name, actions, account_ids, label)

    def remove_permission(self, queue_name: str, label: str) -> None:
        self._queue(queue_name).touch()
        super().remove_permission(queue_name, label)

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        """Poll, taking the journal's lock for each look only and not while waiting."""
        until = time.monotonic() + int(wait_seconds_timeout or 0)
        while True:
            with journal.lock:
                queue = self._queue(queue_name)
                before = queue.held() if queue.dead_letter_queue is not None else []
                found = super().receive_message(queue_name, count, 0, visibility_timeout, message_attribute_names)
                for moved in set(before) - set(queue.held()) if before else ():
                    queue.touch(moved)
            left = until - time.monotonic()
            if found or left <= 0 or journal.closing.is_set():
                return found
            queue.wait_for_messages(min(left, 0.25))  # type: ignore[arg-type]
            time.sleep(0.005)  # a FIFO group in flight is "visible" to the wait above; do not spin on it
