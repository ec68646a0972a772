"""The gate reads everything at one moment: with committed data, in a database of its own."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from governance.selectors import gate as reading
from registry.models import Project
from tests.factories import project

from .test_concurrency import at_once


def test_what_is_read_is_one_moment(committed_db: str) -> None:
    """Inside the snapshot, what another transaction commits meanwhile does not show, and nothing can be written."""
    here = project()
    with reading.snapshot():
        count = Project.objects.count()
        assert [type(made) for made in at_once(project)] == [Project]
        assert Project.objects.count() == count
    assert Project.objects.count() == count + 1
    with pytest.raises(DatabaseError, match="read-only"), reading.snapshot():
        Project.objects.filter(pk=here.pk).update(name="x")
    with transaction.atomic(), reading.snapshot():
        assert Project.objects.filter(pk=here.pk).exists()
