"""The floor under the API's reads: the same rows by one plain SQL statement through psycopg, without HTTP or Django."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import cycle

import psycopg

from benchmarks.company import COPIED, Company
from benchmarks.load import Measured

_ROWS = """
SELECT v.*, g.name, p.key, l.name, o.username, r.username,
       ARRAY(SELECT u.number FROM registry_versionusecase s JOIN registry_usecase u ON u.id = s.use_case_id
              WHERE s.version_id = v.id ORDER BY u.number)
  FROM registry_modelversion v JOIN registry_modelgroup g ON g.id = v.group_id
  LEFT JOIN registry_project p ON p.id = g.project_id
  LEFT JOIN registry_lineofbusiness l ON l.id = p.line_of_business_id
  LEFT JOIN registry_user o ON o.id = g.owner_id LEFT JOIN registry_user r ON r.id = v.registered_by_id
 WHERE g.project_id = %s AND {condition}
"""
_SERVES = """
v.id IN (SELECT s.version_id FROM registry_versionusecase s JOIN registry_usecase u ON u.id = s.use_case_id
          WHERE u.number = 1001)
"""
_NEWEST = " ORDER BY v.aws_modified_at DESC, v.id DESC LIMIT 101"


class Floor:
    """The statements, and how fast they are."""

    def __init__(self, url: str, versions: Sequence[int], company: Company) -> None:
        self.url = url
        project = company.world.project.pk
        filters = [
            "v.stage = 'qa' AND v.status = 'pending'",
            _SERVES,
            f"g.name = '{COPIED}7'",
            "v.risk_rating = 'low' AND v.stage = 'development' AND v.status = 'approved'",
        ]
        self.statements: dict[str, list[tuple[str, tuple[int, ...]]]] = {
            "version_get": [(_ROWS.format(condition="v.id = %s"), (project, pk)) for pk in versions],
            "versions_page": [(_ROWS.format(condition="true") + _NEWEST, (project,))],
            "versions_filtered": [(_ROWS.format(condition=one) + _NEWEST, (project,)) for one in filters],
        }

    def measure(self, name: str, clients: int, seconds: float) -> Measured | None:
        """Ask the statements of an endpoint over so many connections, a thread each; None where it has none."""
        statements = self.statements.get(name)
        if statements is None:
            return None
        taken: list[list[float]] = [[] for _ in range(clients)]
        threads = [threading.Thread(target=self._asker(statements, mine, seconds)) for mine in taken]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Measured(time.perf_counter() - begun, [one for mine in taken for one in mine])

    def _asker(
        self, statements: Sequence[tuple[str, tuple[int, ...]]], taken: list[float], seconds: float
    ) -> Callable[[], None]:
        connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=0)

        def ask() -> None:
            until = time.perf_counter() + seconds
            with connection, connection.cursor(binary=True) as cursor:
                for statement, parameters in cycle(statements):
                    begun = time.perf_counter()
                    if begun > until:
                        return
                    cursor.execute(statement, parameters)
                    cursor.fetchall()
                    taken.append(time.perf_counter() - begun)

        return ask
