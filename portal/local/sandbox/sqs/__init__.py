"""Extend moto's SQS by messages that outlive a restart and polling that does not block others."""
