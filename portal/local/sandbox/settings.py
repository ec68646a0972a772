"""How slow and patient the sandbox is, switched over HTTP and back to normal after a restart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Settings:
    """Seconds, each from 0."""

    association_seconds: float = 0  # a RAM association is ASSOCIATING this long
    index_lag_seconds: float = 0  # what is written shows up in Search this much later
    invitation_seconds: float = 12 * 3600  # RAM's user guide: for the types that are not on its seven-day list

    def change(self, wanted: Any) -> dict[str, float]:
        """Set what is given and return all. Raises ValueError or TypeError, and then nothing is changed."""
        if not isinstance(wanted, dict):
            raise TypeError("it must be a JSON object")
        if unknown := set(wanted) - set(asdict(self)):
            raise ValueError(f"unknown {sorted(unknown)}; there are {sorted(asdict(self))}")
        seconds = {name: float(value) for name, value in wanted.items()}
        if not all(0 <= value <= 30 * 86400 for value in seconds.values()):
            raise ValueError("seconds must be between 0 and 2592000")
        for name, value in seconds.items():
            setattr(self, name, value)
        return asdict(self)


settings = Settings()
