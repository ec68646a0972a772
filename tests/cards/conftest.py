"""The accounts of the sandbox and the people of one project, and what a card says."""

from tests.governance.conftest import people, place, shared_place

__all__ = ["people", "place", "shared_place"]
