"""What a caller prefers (RFC 7240), however he writes it."""

from __future__ import annotations

import pytest

from portal.core.preferences import RESPOND_ASYNC, prefers


@pytest.mark.parametrize(
    ("header", "is_preferred"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        (" return=minimal ,  respond-async; wait=5", True),
        ('foo="a, respond-async", wait=10', False),
        ('foo="a \\" , x", respond-async', True),
        ('respond-async=""', True),
        ("respond-async=yes", False),
        ("respond-asynchronously", False),
        ("", False),
        (',,;=,"', False),
        ('"' * 5000, False),
    ],
)
def test_a_preference_is_read_as_the_rfc_writes_it(header: str, is_preferred: bool) -> None:
    assert prefers(header, RESPOND_ASYNC) is is_preferred
