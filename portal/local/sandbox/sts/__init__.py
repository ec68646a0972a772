"""Extend moto's STS by source identities and sessions that outlive a restart."""
