"""Stand in for AWS on one machine: a moto server extended from outside, run as a process of its own.

The portal reaches it as it would reach AWS, through ``AWS_ENDPOINT_URL``; no production code imports this package.
Start it with ``python -m portal.local.sandbox --port N --state DIR``.
"""
