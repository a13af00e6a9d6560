"""What notify knows while it goes through a batch: alerts and what teams have heard, in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from prometheus_client import Counter

from services.contracts.alerts import AlertEvent
from services.notify.routing import (
    AlertState,
    CaseKey,
    Notified,
    Notify,
    Retract,
    highest,
    lowered,
    route,
    route_erased,
    state_after,
)
from services.platform.teams import Teams

log = logging.getLogger(__name__)

unrouted = Counter("firstbell_notify_unrouted_events", "Alert events of agencies of which the teams file names nobody")


class CaseStates:
    """Takes events one by one and remembers what has changed, for one write at the end."""

    def __init__(self, alerts: Iterable[AlertState], notified: Mapping[CaseKey, Notified]) -> None:
        self.alerts = {alert.alert_id: alert for alert in alerts}
        self.notified = dict(notified)
        self.changed: set[UUID] = set()
        self._families: dict[str, set[UUID]] = {}
        for alert in self.alerts.values():
            self._families.setdefault(alert.case.family, set()).add(alert.alert_id)

    def take(self, event: AlertEvent, teams: Teams) -> tuple[Notify | Retract, ...]:
        """What to do about an event; nothing when it, or a later one of its alert, was taken before."""
        known = self.alerts.get(event.alert_id)
        if known is not None and known.seq >= event.seq:
            return ()
        team = teams.of(event.agency, event.school_id)
        if team is None:
            unrouted.inc()
            log.warning("no team in the teams file is of agency %s: its alerts are mailed to nobody", event.agency)
            return ()
        state = state_after(event, team.name)
        moved = known is not None and known.is_open and known.case != state.case
        if known is not None and moved:
            self._leave(known, state.case)
        self._put(state)
        others = self._open(state.case, but=state.alert_id)
        new = known is not None and moved and known.case.team != team.name
        routed = route(
            event, state, notified=self.notified.get(state.case), others=others, lowest=team.lowest_level, new=new
        )
        self._hear(state.case, routed.notified)
        return routed.actions

    def erase(self, student: str, teams: Teams) -> tuple[int, list[Notify | Retract]]:
        """Forget the student's alerts; what teams had heard by them: how many, and of what these are notified now."""
        erased = {alert.alert_id for alert in self.alerts.values() if alert.student == student}
        heard = {case for case, notified in self.notified.items() if notified.alert_id in erased}
        cases = heard | {self.alerts[one].case for one in erased}
        for one in erased:
            self._families[self.alerts.pop(one).case.family].discard(one)
        notices: list[Notify | Retract] = []
        for case in sorted(cases):
            team, lead = teams.named(case.team), highest(self._open(case))
            if team is None:
                self._hear(case, lowered(self.notified.get(case), lead))
                continue
            routed = route_erased(erased, self.notified.get(case), lead, team.lowest_level)
            self._hear(case, routed.notified)
            notices += routed.actions
        return len(heard), notices

    def _put(self, state: AlertState) -> None:
        known = self.alerts.get(state.alert_id)
        if known is not None:
            self._families[known.case.family].discard(known.alert_id)
        self.alerts[state.alert_id] = state
        self._families.setdefault(state.case.family, set()).add(state.alert_id)
        self.changed.add(state.alert_id)

    def _leave(self, alert: AlertState, destination: CaseKey) -> None:
        """The alert goes to another household or team; what the same team has heard by it goes along."""
        notified = self.notified.get(alert.case)
        if notified is not None and notified.alert_id == alert.alert_id and destination.team == alert.case.team:
            self.notified.setdefault(destination, notified)
        self._hear(alert.case, lowered(notified, highest(self._open(alert.case, but=alert.alert_id))))

    def _open(self, case: CaseKey, *, but: UUID | None = None) -> list[AlertState]:
        alerts = (self.alerts[alert_id] for alert_id in sorted(self._families.get(case.family, ())))
        return [alert for alert in alerts if alert.is_open and alert.case == case and alert.alert_id != but]

    def _hear(self, case: CaseKey, notified: Notified | None) -> None:
        if notified is None:
            self.notified.pop(case, None)
        else:
            self.notified[case] = notified
