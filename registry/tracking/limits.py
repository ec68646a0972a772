"""How much of a run is kept: beyond these, entries are left out and counted, and texts are cut and say so."""

from __future__ import annotations

MOST_METRICS = 500
MOST_PARAMS = 300
MOST_TAGS = 200
LONGEST_NAME = 250
LONGEST_VALUE = 500
LONGEST_NOTE = 2000
# Of a metric's history, the newest points.
MOST_POINTS = 1000
# Runs that one search shows, and experiments that are offered.
MOST_RUNS = 50
MOST_EXPERIMENTS = 200
LONGEST_FILTER = 2000
MOST_ORDERS = 5
# Bytes of one answer: 500 metrics and 300 parameters fit many times.
LARGEST_ANSWER = 8_000_000
