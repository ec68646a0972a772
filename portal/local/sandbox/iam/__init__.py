"""Extend moto's IAM by the simulation of policies, and hold roles to theirs."""
