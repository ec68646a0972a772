"""How a moment is written, and what is no moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from portal.core.as_of import moment_of
from portal.core.errors import InvalidInput
from portal.core.moments import MomentField, moment_in


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05T14:30:00Z", datetime(2026, 1, 5, 14, 30, tzinfo=UTC)),
        ("2026-01-05T14:30:00+02:00", datetime(2026, 1, 5, 12, 30, tzinfo=UTC)),
        ("2026-01-05T14:30:00 02:00", datetime(2026, 1, 5, 12, 30, tzinfo=UTC)),  # a "+" that nobody encoded
        ("2026-01-05T14:30:00.123456-05:00", datetime(2026, 1, 5, 19, 30, 0, 123456, tzinfo=UTC)),
        ("2026-01-05 14:30Z", datetime(2026, 1, 5, 14, 30, tzinfo=UTC)),
        ("  2026-01-05  ", datetime(2026, 1, 5, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("0001-01-01", datetime(1, 1, 1, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_moment(text: str, moment: datetime) -> None:
    assert moment_of(text) == moment


def test_today_means_now() -> None:
    before = timezone.now()
    assert before <= moment_of(f"{before:%Y-%m-%d}") <= timezone.now()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2025-02-29",
        "2026-01-05T25:00:00Z",
        "2026-01-05T14:30:00",  # where on earth?
        "2026-01-05 14:30",
        "0001-01-01T00:00:00+23:59",
        "9" * 400,
        "1767623400",
        "2026-01-05T14:30:00Z; DROP TABLE x",
        "\x002026-01-05",
        "2026-01-05T14:30:00+99:00",
        "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0665T",
    ],
)
def test_no_moment(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        moment_of(text, name="as_of")
    assert list(refusal.value.errors) == ["as_of"]
    assert refusal.value.errors["as_of"][0].endswith((".", ":00"))


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(days=1), timedelta(days=4000)])
def test_what_is_still_to_come(ahead: timedelta) -> None:
    later = timezone.now() + ahead
    with pytest.raises(InvalidInput, match="cannot be shown") as refusal:
        moment_of(later.isoformat())
    assert "still to come" in refusal.value.errors["as_of"][0]
    if ahead >= timedelta(days=1):
        with pytest.raises(InvalidInput):
            moment_of(f"{later:%Y-%m-%d}")


def test_a_form_says_that_it_means_utc() -> None:
    assert moment_in({"as_of": "2026-01-05T14:30"}) == datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    assert moment_in({"as_of": " "}) is moment_in({}) is moment_in({"as_of": "nonsense"}) is None
    field = MomentField(required=False)
    assert field.clean("") is None
    assert field.widget.format_value("2026-01-05T14:30:00+02:00") == "2026-01-05T12:30:00"
    assert field.widget.format_value("nonsense") == "nonsense"
