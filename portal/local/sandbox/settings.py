"""How slow and patient the sandbox is, switched over HTTP and back to normal after a restart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_MONTH = 30 * 86400
_MOST = {"clock_behind_seconds": 366 * 86400}


@dataclass
class Settings:
    """Seconds, each from 0."""

    association_seconds: float = 0  # a RAM association is ASSOCIATING this long
    index_lag_seconds: float = 0  # what is written shows up in Search this much later
    invitation_seconds: float = 12 * 3600  # RAM's user guide: for the types that are not on its seven-day list
    clock_behind_seconds: float = 0  # SageMaker and RAM stamp what is done now as done this long ago

    def change(self, wanted: Any) -> dict[str, float]:
        """Set what is given and return all. Raises ValueError or TypeError, and then nothing is changed."""
        if not isinstance(wanted, dict):
            raise TypeError("it must be a JSON object")
        if unknown := set(wanted) - set(asdict(self)):
            raise ValueError(f"unknown {sorted(unknown)}; there are {sorted(asdict(self))}")
        seconds = {name: float(value) for name, value in wanted.items()}
        for name, value in seconds.items():
            most = _MOST.get(name, _MONTH)
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be between 0 and {most} seconds")
        for name, value in seconds.items():
            setattr(self, name, value)
        return asdict(self)


settings = Settings()


def now() -> datetime:
    """The time as AWS stamps it: UTC, to the millisecond, as far behind as the settings say."""
    moment = datetime.now(UTC) - timedelta(seconds=settings.clock_behind_seconds)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
