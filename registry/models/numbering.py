"""Public numbers that are never reused and leave no gaps."""

from __future__ import annotations

from django.db import connection, models


class PublicNumber(models.Model):
    """The last number given out per series; a rolled back registration gives its number back."""

    series = models.CharField(max_length=10, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.series} {self.last}"

    @classmethod
    def take(cls, series: str) -> int:
        """Return the next number of a series; others wait until this transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO registry_publicnumber (series, last) VALUES (%s, 1)"
                " ON CONFLICT (series) DO UPDATE SET last = registry_publicnumber.last + 1 RETURNING last",
                [series],
            )
            row = cursor.fetchone()
        assert row is not None
        return int(row[0])
