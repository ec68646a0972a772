"""What every other account can do with every group the actor may see."""

from __future__ import annotations

from portal.core.actors import Actor

from ..models import ModelGroup
from ..sharing.posture import AccountPosture
from .sharing import Postures

# As many groups as a matrix is put together from on a page.
MOST_GROUPS = 500


def postures(actor: Actor) -> tuple[list[tuple[ModelGroup, tuple[AccountPosture, ...]]], int]:
    """Return each group somebody else is let into with what each account can do, and how many groups are left out."""
    seen = ModelGroup.objects.visible_to(actor)
    everything = actor.is_system or actor.grants.everywhere
    known = Postures() if everything else Postures(list(seen.only("pk")))
    visible = None if everything else set(seen.values_list("pk", flat=True))
    groups = [group for group in known.groups() if visible is None or group.pk in visible]
    groups.sort(key=lambda group: (group.name, group.pk))
    return [(group, known.of(group)) for group in groups[:MOST_GROUPS]], max(0, len(groups) - MOST_GROUPS)
