"""Bringing AWS's word into the registry: a pure plan, applied by services, one run row per pass."""
