"""What an alert can be, and what each event leaves it as."""

from __future__ import annotations

from typing import Final, Literal

from services.contracts.alerts import AlertEventType

AlertStatus = Literal["open", "cleared", "withdrawn", "closed"]

STATUS: Final[dict[AlertEventType, AlertStatus]] = {
    "AlertRaised": "open",
    "AlertLevelChanged": "open",
    "AlertAmended": "open",
    "AlertCleared": "cleared",
    "AlertWithdrawn": "withdrawn",
}
"""What each event leaves an alert as, unless people have closed the case: it stays `closed` then."""
