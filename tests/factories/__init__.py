"""Objects as production makes them: every factory walks through the real services."""

from .people import Cast, cast, person
from .records import version_record
from .walk import at_stage, documented, group, project, use_case, version

__all__ = [
    "Cast",
    "at_stage",
    "cast",
    "documented",
    "group",
    "person",
    "project",
    "use_case",
    "version",
    "version_record",
]
