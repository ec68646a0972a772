"""The accounts of the sandbox and the people of one project, undone after each test."""

from tests.governance.conftest import people, place, shared_place

__all__ = ["people", "place", "shared_place"]
