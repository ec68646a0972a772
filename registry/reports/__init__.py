"""What SageMaker's jobs write into S3 about a model, read without trusting it: Clarify, model quality, data quality.

Knows no Django: bytes and JSON go in, plain dataclasses come out. A value that is absent, null or no number is None,
never 0.
"""
