"""Who is not to be disturbed when: what is for them waits until then, unless it is urgent and they say so."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.notify.working_time import end_of_quiet
from services.platform.day_hours import DayHours
from services.platform.teams import Teams


class _Quiet(NamedTuple):
    hours: DayHours
    urgent_comes_through: bool


class QuietHours:
    """By address, what a person says of themselves, else what their team says."""

    def __init__(self, teams: Teams, zone: ZoneInfo) -> None:
        self._zone = zone
        self._of: dict[str, _Quiet] = {}
        for one in (*teams.teams, teams.default):
            for address in (*one.recipients, *one.supervisors):
                if one.quiet_hours is not None:
                    self._of.setdefault(address, _Quiet(DayHours.parse(one.quiet_hours), one.urgent_in_quiet_hours))
        for person in teams.people:
            if person.address is not None and person.quiet_hours is not None:
                self._of[person.address] = _Quiet(DayHours.parse(person.quiet_hours), person.urgent_in_quiet_hours)

    def until(self, address: str, level: str, now: datetime) -> datetime | None:
        """Until when a mail of this level waits; None when it need not."""
        quiet = self._of.get(address)
        if quiet is None or (level == "urgent" and quiet.urgent_comes_through):
            return None
        return end_of_quiet(now, quiet.hours, self._zone)
