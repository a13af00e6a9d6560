"""What alerts make of cases: pure, over what a batch of events touches.

The alerts of a household are one case of its agency. Who is raised anew within 30 school days after the case ended
opens it again; later than that, it is another case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

from services.casework.cases.acting import without_referral
from services.casework.cases.returning import awake, waiting
from services.casework.cases.states import Case
from services.contracts.alerts import LEVELS, Level

REOPENS_WITHIN: Final = 30
"""School days."""


@dataclass(frozen=True, slots=True)
class CaseAlert:
    """An alert as a case sees it; its status `closed` was set by people."""

    id: UUID
    agency: str | None
    family: str
    school_id: str
    level: Level
    status: str
    raised_on: date
    case_id: UUID | None

    @property
    def is_open(self) -> bool:
        """Whether it is in force, and nobody has closed it."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class Came:
    """Something that came of itself, for the timeline."""

    case: Case
    what: str


SchoolDaysBetween = Callable[[str, date, date], int]
"""Instructional days of a school after the first day, up to and with the second."""


class Following:
    """Takes in alerts as they stand now, and keeps what has become of their cases."""

    def __init__(
        self,
        cases: Iterable[Case],
        alerts: Iterable[CaseAlert],
        school_days: SchoolDaysBetween,
        today: date,
        now: datetime,
    ) -> None:
        self.cases = {case.id: case for case in cases}
        self._before = dict(self.cases)
        self._school_days = school_days
        self._today = today
        self._now = now
        self._alerts = {alert.id: alert for alert in alerts}
        self._latest: dict[tuple[str | None, str], UUID] = {}
        for case in sorted(self.cases.values(), key=lambda case: (case.opened_on, case.id)):
            if case.family is not None:
                self._latest[case.agency, case.family] = case.id
        self._of: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for alert in self._alerts.values():
            if alert.case_id is not None:
                self._of[alert.case_id].add(alert.id)
        self.moved: dict[UUID, UUID] = {}
        """Alerts that came to a case, and to which."""
        self.came: list[Came] = []

    def changed(self) -> list[Case]:
        """The cases that are new or another than before."""
        return [case for case in self.cases.values() if case != self._before.get(case.id)]

    def take(self, alert: CaseAlert) -> None:
        """An alert after its newest event."""
        known = self._alerts.get(alert.id)
        before = known.case_id if known is not None else alert.case_id
        home = self._home(alert, before)
        if before is not None and before != home:
            self._of[before].discard(alert.id)
        is_new = before != home
        self._alerts[alert.id] = replace(alert, case_id=home)
        self._of[home].add(alert.id)
        if is_new:
            self.moved[alert.id] = home
        if before is not None and before != home:
            self._settle(before)
        self._settle(home, newcomer=alert if is_new else None)

    def _home(self, alert: CaseAlert, before: UUID | None) -> UUID:
        """The case of the alert, which is opened when there is none."""
        case = self.cases.get(before) if before is not None else None
        if case is not None and (case.agency, case.family) == (alert.agency, alert.family):
            return case.id
        latest = self._latest.get((alert.agency, alert.family))
        if latest is not None and self._is_near(self.cases[latest], alert):
            return latest
        # Its own id may be that of the case of a household that the child has left.
        opened = alert.id if alert.id not in self.cases else uuid5(alert.id, alert.family)
        if opened not in self.cases:
            self.cases[opened] = replace(self._opened(alert), id=opened)
        self._latest[alert.agency, alert.family] = opened
        return opened

    def _is_near(self, case: Case, alert: CaseAlert) -> bool:
        if case.ended_on is None or alert.raised_on <= case.ended_on:
            return True
        return self._school_days(alert.school_id, case.ended_on, alert.raised_on) <= REOPENS_WITHIN

    def _opened(self, alert: CaseAlert) -> Case:
        return Case(
            id=alert.id,
            agency=alert.agency,
            family=alert.family,
            school_id=alert.school_id,
            level=alert.level,
            state="new",
            version=1,
            opened_on=alert.raised_on,
            ended_on=None,
            waiting_since=self._now,
            owner=None,
            taken_on=None,
            contact_by=None,
            first_contact_at=None,
            last_contact_on=None,
            due_on=None,
            snoozed_until=None,
            until_worse=False,
            snoozed_level=None,
            referred_to=None,
            referred_by=None,
            referral_expires_on=None,
            referral_accepted=False,
            returned=None,
            outcome=None,
        )

    def _settle(self, case_id: UUID, newcomer: CaseAlert | None = None) -> None:
        """Bring a case to where its alerts are."""
        case = self.cases[case_id]
        alerts = [self._alerts[each] for each in sorted(self._of[case_id])]
        there = [alert for alert in alerts if alert.is_open]
        lead = _lead(there) or _lead([alert for alert in alerts if alert.status != "withdrawn"]) or _lead(alerts)
        if lead is not None:
            case = replace(case, level=lead.level, school_id=lead.school_id)
        self.cases[case_id] = self._in_force(case, newcomer) if there else self._over(case, alerts)

    def _in_force(self, case: Case, newcomer: CaseAlert | None) -> Case:
        reopens = newcomer is not None and newcomer.is_open
        if case.state == "closed" and not reopens:
            return case  # people have closed it, and its alerts with it
        if case.has_ended:
            return self._came(waiting(ended_again(case), "reopened", self._now), "reopened")
        if case.state == "snoozed" and case.until_worse and self._is_worse(case, newcomer if reopens else None):
            return self._came(awake(case, "worse", self._today), "worse")
        return case

    @staticmethod
    def _is_worse(case: Case, newcomer: CaseAlert | None) -> bool:
        now, then = case.level or LEVELS[0], case.snoozed_level or LEVELS[0]
        return newcomer is not None or LEVELS.index(now) > LEVELS.index(then)

    def _over(self, case: Case, alerts: list[CaseAlert]) -> Case:
        """Nothing of it is in force: corrections withdraw it whoever has it, what cleared goes when nobody has it."""
        if case.has_ended:
            return case
        if all(alert.status == "withdrawn" for alert in alerts):
            return self._came(self._ended(replace(case, state="withdrawn")), "withdrawn")
        if case.state == "new":
            return self._came(self._ended(replace(case, state="cleared")), "cleared")
        return case

    def _ended(self, case: Case) -> Case:
        return replace(
            without_referral(case),
            waiting_since=None,
            ended_on=self._today,
            due_on=None,
            contact_by=None,
            returned=None,
        )

    def _came(self, case: Case, what: str) -> Case:
        self.came.append(Came(case, what))
        return case


def _lead(alerts: list[CaseAlert]) -> CaseAlert | None:
    """The alert that gives a case its level; the first of equals."""
    return max(alerts, key=lambda alert: LEVELS.index(alert.level), default=None)


def ended_again(case: Case) -> Case:
    """The case as if it had not ended."""
    return replace(
        case,
        owner=None,
        taken_on=None,
        last_contact_on=None,
        outcome=None,
        ended_on=None,
        snoozed_until=None,
        until_worse=False,
        snoozed_level=None,
    )
