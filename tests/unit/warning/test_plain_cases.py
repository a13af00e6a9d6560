"""The hard corners by hand: what must be said of a few records, and that the worker and the plain definition say it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest

from models.artifact import Artifact, Step
from services.contracts.marks import AttendanceStatus
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import (
    Alert,
    Record,
    batch,
    close,
    consent,
    counts,
    enrollment,
    erased,
    mark,
    school_day,
    threshold,
)
from tests.unit.warning.test_plain import Judged, agrees
from tests.unit.warning.worlds import FIRST, at, school_days

pytestmark = pytest.mark.slow

DAYS = school_days(80)
NEXT = date(2017, 9, 7)
"""A day of the next school year."""
MONDAYS = [date(2016, 9, 5) + timedelta(days=7 * number) for number in range(16)]
STATUS: dict[str, tuple[AttendanceStatus, bool | None]] = {
    "P": ("present", None),
    "U": ("absent", None),
    "E": ("absent", True),
    "T": ("tardy", None),
    "D": ("early_departure", None),
    "Q": ("partial", None),
}


class Case(NamedTuple):
    """Records, and what ann's window (enrolled, absent days) and all alerts must be."""

    records: list[Record]
    days: tuple[int, int] | None
    alerts: frozenset[str] | set[str] = frozenset()
    """Student, level, open or cleared, the number of the day raised (its date in another year), rules."""


def said(kind: str, day: int, *, who: str = "ann", school: str = "A", section: str | None = None,
         later: int | None = None, history: bool = False) -> Record:  # fmt: skip
    """One mark of a day; ``later``: recorded so many minutes after 14:00."""
    status, excused = STATUS[kind]
    moment: datetime | None = None if later is None else at(DAYS[day], later)
    told = mark(who, DAYS[day], status, excused=excused, school=school, section=section,
                recorded_at=moment, history=history)  # fmt: skip
    return batch(told)


def year(kinds: str, *, who: str = "ann", school: str = "A", start: int = 0, history: bool = False) -> list[Record]:
    """Days one by one, a letter a day, each closed; a point is a day without a row."""
    found = []
    for number, kind in enumerate(kinds, start):
        if kind != ".":
            found.append(said(kind, number, who=who, school=school, history=history))
        found.append(close(school, DAYS[number], history=history))
    return found


def known(who: str = "ann", *, home: str | None = None, since: date = FIRST, until: date | None = None) -> list[Record]:
    return [enrollment(who, ("A", FIRST, None), household=home), consent(who, since, until)]


def calendar(*off: int) -> list[Record]:
    return [school_day("A", day, number not in off) for number, day in enumerate(DAYS)]


def heads(day: int, absent: int, of: int = 100) -> Record:
    return batch(counts=[counts("A", DAYS[day], absent, of, of)])


ANN = known()
SHARED = [enrollment("ann", ("A", FIRST, None), ("B", DAYS[2], DAYS[3])), consent("ann", FIRST)]
MOVED = [enrollment("ann", ("A", FIRST, DAYS[4]), ("B", DAYS[5], None)), consent("ann", FIRST)]
AWAY = [enrollment("ann", ("A", FIRST, DAYS[1]), ("A", DAYS[5], None)), consent("ann", FIRST)]
HOME = [*known(home="h"), *known("ben", home="h")]
TWO = [*HOME, *year("P" * 40 + "UUU"), *year("P" * 40 + "UUU", who="ben")]
SNOW = [*ANN, *(heads(day, 5) for day in range(30)), heads(30, 70), *year("P" * 28 + "UUU")]
ANEW = [close("A", NEXT), batch(*(mark("ann", NEXT + timedelta(days=number), "absent") for number in (0, 1, 4)))]
THREE_AWAY, TWO_AWAY = "P" * 30 + "UUU" + "P" * 42, "P" * 30 + "UPU" + "P" * 42
SECOND, THIRD, OCTOBER = ({f"ann watch {end} streak_3"} for end in ("open 2", "open 3", "cleared 32"))

CASES = {
    "nothing was said": Case(ANN, (0, 0)),
    "the first day": Case([*ANN, *year("U")], (1, 1)),
    "exactly 10%": Case([*ANN, *year("UPPPPPPPPP")], (10, 1), {"ann watch open 9 rate_10"}),
    "one day in eleven": Case([*ANN, *year("PPPPPPPPPPU")], (11, 1)),
    "nine days are too few for a rate": Case([*ANN, *year("UPPPPPPPP")], (9, 1)),
    "exactly 20%": Case([*ANN, *year("UUPPPPPPPP")], (10, 2), {"ann elevated open 9 rate_20+rate_10"}),
    "a streak of three from the first day": Case([*ANN, *year("UUU")], (3, 3), SECOND),
    "an excused day neither breaks nor extends": Case([*ANN, *year("UUEU")], (4, 4), THIRD),
    "a tardy day breaks": Case([*ANN, *year("UUTU")], (4, 3)),
    "a day that no one closed or marked": Case([*ANN, *year("UU"), said("U", 3)], (3, 3), THIRD),
    "closed later it ends the streak": Case([*ANN, *year("UU"), said("U", 3), close("A", DAYS[2])], (4, 3)),
    "consent that starts in mid-year": Case([*known(since=DAYS[20]), *year("U" * 22)], (2, 2)),
    "consent through its last day": Case([*known(until=DAYS[2]), *year("UUUUU")], (3, 3), SECOND),
    "a mark at another school than enrolled": Case([*ANN, *year("UU"), *year("U", start=2, school="B")], (2, 2)),
    "that school's close ends no streak": Case([*ANN, *year("UU"), close("B", DAYS[2]), said("U", 3)], (3, 3),
        THIRD),
    "two schools on one date: the one entered later": Case([*SHARED, *year("UUUUU"), *year("PP", start=2, school="B")],
        (5, 3), {"ann elevated open 2 move_2"}),
    "two schools, the later one silent": Case([*SHARED, *year("UUUUU")], (3, 3), {"ann watch open 4 streak_3"}),
    "a transfer keeps the streak": Case([*MOVED, *year("PPPUU"), *year("U", start=5, school="B")], (6, 3),
        {"ann elevated open 5 move_2+streak_3"}),
    "away between two stays": Case([*AWAY, *year("UUPPPU")], (3, 3), {"ann watch open 5 streak_3"}),
    "one section twice at one moment: the graver": Case([*ANN, said("P", 0, section="1", later=0),
        said("U", 0, section="1", later=0), said("T", 0, section="1", later=0)], (1, 1)),
    "excused and not at one moment: unexcused": Case([*ANN, *year("UU"), said("E", 2, later=0), said("U", 2, later=0)],
        (3, 3), SECOND),
    "absent in half of the sections": Case([*ANN, said("P", 0, section="1"), said("U", 0, section="2")], (1, 1)),
    "absent in less than half": Case([*ANN, said("P", 0, section="1"), said("U", 0, section="2"),
        said("P", 0)], (1, 0)),
    "a row without a time loses": Case([*ANN, said("P", 0, later=0), said("U", 0)], (1, 0)),
    "an earlier row that comes later loses": Case([*ANN, said("P", 0, later=1), said("U", 0, later=0)], (1, 0)),
    "the last day corrected": Case([*ANN, *year("UUU"), said("P", 2, later=0)], (3, 2)),
    "forty days back corrected, and the alert is gone": Case([*ANN, *year(THREE_AWAY), said("E", 31, later=0)],
        (75, 3)),
    "the same not corrected": Case([*ANN, *year(THREE_AWAY)], (75, 3), OCTOBER),
    "forty days back corrected, and there is one": Case([*ANN, *year(TWO_AWAY), said("U", 31, later=0)],
        (75, 3), OCTOBER),
    "a day turned off": Case([*ANN, *calendar(), *year("UUPU"), *calendar(2)], (3, 3), THIRD),
    "and on again": Case([*ANN, *calendar(), *year("UUPU"), *calendar(2), *calendar()], (4, 3)),
    "the first calendar row of the year": Case([*ANN, *year("UUU"), school_day("A", DAYS[1], instructional=True)],
        (1, 1)),
    "a mark on a day without school": Case([*ANN, *calendar(1), *year("PUP")], (2, 0)),
    "a history raises nothing": Case([*ANN, *year("UUUPPPP", history=True)], (7, 3)),
    "a live close on it decides": Case([*ANN, *year("UUUPPPP", history=True), close("A", DAYS[2])], (7, 3),
        SECOND),
    "closed as history again it still does": Case([*ANN, *year("UUUPPPP", history=True), close("A", DAYS[2]),
        close("A", DAYS[2], history=True)], (7, 3), SECOND),
    "a live mark inside a closed history does not": Case([*ANN, *year("UUUPPPP", history=True), said("U", 2, later=0)],
        (7, 3)),
    "a live mark that came before the history does": Case([*ANN, said("U", 2, later=0), *year("UUUPPPP", history=True)],
        (7, 3), SECOND),
    "a snow day raises nobody": Case(SNOW, (31, 3)),
    "a day after it the streak goes on": Case([*SNOW, *year("U", start=31)], (32, 4),
        {"ann watch open 31 streak_3+rate_10"}),
    "it was no snow day": Case([*SNOW, heads(30, 6)], (31, 3), {"ann watch open 30 streak_3"}),
    "what a school was used to last year says nothing": Case([*ANN, *(heads(day, 5) for day in range(30)), *ANEW,
        batch(counts=[counts("A", NEXT + timedelta(days=4), 30, 100, 100)])], (3, 3),
        {"ann watch open 2017-09-11 streak_3"}),
    "a mark ahead begins no year": Case([*ANN, *year("UUU"), batch(mark("ann", NEXT, "absent"))], (3, 3),
        SECOND),
    "the year begins with the marks that waited": Case([*ANN, *year("UUU"), batch(mark("ann", NEXT, "absent")),
        close("A", NEXT), close("A", NEXT + timedelta(days=1))], (2, 1)),
    "marks of the year before": Case([*ANN, close("A", NEXT), *year("UUU")], (1, 0)),
    "erased": Case([*ANN, *year("UUU"), erased("ann")], None),
    "erased, and marked": Case([*ANN, *year("UUU"), erased("ann"), said("U", 3), close("A", DAYS[3])], None),
    "erased, and a consent that was on its way": Case([*ANN, erased("ann"), consent("ann", DAYS[2]), *year("UUU")],
        None),
    "enrollments dropped": Case([*ANN, *year("UUU"), enrollment("ann")], (0, 0)),
    "siblings lift each other": Case(TWO, (43, 3), {"ann elevated open 42 streak_3+household_2",
        "ben elevated open 42 streak_3+household_2"}),
    "six days apart they do not": Case([*HOME, *year("P" * 40 + "UUUUU"), *year("PPPPUUU", who="ben", start=40)],
        (47, 5), {"ann elevated open 42 change_30+streak_3", "ben watch open 46 streak_3"}),
    "a sibling leaves the household": Case([*TWO, enrollment("ben", ("A", FIRST, None))], (43, 3),
        {"ann watch open 42 streak_3", "ben watch open 42 streak_3"}),
    "a sibling is erased": Case([*TWO, erased("ben")], (43, 3), {"ann watch open 42 streak_3"}),
}  # fmt: skip

ONLY = {"unexcused_20": Step(feature="unexcused_20", edges=(1.0, 2.0, 3.0), values=(0.0, 1.0, 2.0, 3.0))}
SIBLING = Step(feature="sibling_score", edges=(-3.5,), values=(0.0, 0.5))


def by_absences() -> Artifact:
    """Log-odds of -5, and one more for each of the first three unexcused absences in 20 days."""
    made = artifact()
    steps = [Step(feature=step.feature, edges=(), values=(0.0,)) for step in made.steps]
    return made.model_copy(
        update={"intercept": -5.0, "steps": tuple(ONLY.get(s.feature, s) for s in steps), "sibling": SIBLING}
    )


def places(*week: float | None, first: int = 0) -> list[Record]:
    """A threshold a week; no more come, and the last stays."""
    return [threshold(monday, at) for monday, at in zip(MONDAYS[first:], week, strict=False)]


TWICE = "UU" + "P" * 8
"""Two absences in 20 days: log-odds of -3 from the second on, of -2 from the eleventh."""
PLACED = "model+rate_10+model_unexcused_20"
FEW = [*ANN, *year("P" * 15 + "UU" + "P" * 43)]
"""The second absence is day 16, in the fourth week."""

UNDER_A_CAPACITY = {
    "no threshold yet: rules are held at watch": Case([*ANN, *year("UUUUU")], (5, 5),
        SECOND),
    "exactly the threshold": Case([*FEW[:2], *places(-3.0), *year("P" * 15 + "UU")], (17, 2),
        {f"ann elevated open 16 {PLACED}"}),
    "a week without places": Case([*FEW[:2], *places(-3.0, None), *year("P" * 15 + "UU")], (17, 2),
        {"ann watch open 16 rate_10"}),
    "a threshold that comes late": Case([*FEW[:2], *year("P" * 15 + "UU"), *places(-3.0)], (17, 2),
        {f"ann elevated open 16 {PLACED}"}),
    "a threshold that comes late, of a week after": Case([*ANN, *year("P" * 15 + "UUPPPPP"), *places(-3.0, first=4)],
        (22, 2), {f"ann elevated open 16 {PLACED}"}),
    "a late one that takes the place back": Case([*ANN, *places(-3.0), *year("P" * 15 + "UU"), *places(-2.0, first=3)],
        (17, 2), {"ann watch open 16 rate_10"}),
    "always": Case([*ANN, *year("U" * 10)], (10, 10), {
        "ann urgent open 2 streak_10+streak_5+rate_20+streak_3+rate_10+september_4+model+model_unexcused_20"}),
    "a place by a rule is held by the score of its first day": Case([*ANN, *year("U" * 10 + "PPP")], (13, 10),
        {"ann elevated open 2 rate_20+model+rate_10+september_4+model_unexcused_20"}),
    "a score that falls below the bar for three days": Case([*FEW, *places(-3.0)], (60, 2),
        {f"ann elevated cleared 16 {PLACED}"}),
    "a place lapses after 30 days": Case([*ANN, *places(-3.0, None), *year(TWICE * 3 + "UU")], (32, 8),
        {"ann watch open 1 rate_20+rate_10+september_4"}),
    "on its last day it holds": Case([*ANN, *places(-3.0, None), *year(TWICE * 3 + "U")], (31, 7),
        {"ann elevated open 1 model+model_unexcused_20"}),
    "another place is to be had the day after": Case([*ANN, *places(-3.0), *year(TWICE * 3 + "UUP")], (33, 8),
        {"ann elevated open 1 rate_20+model+rate_10+september_4+model_unexcused_20"}),
    "a sibling's score of the day before": Case([*HOME, *places(-3.5), *year("UUUP", who="ben"), *year("PPPU")],
        (4, 1), {"ben urgent open 1 model+model_unexcused_20+household_2",
        "ann urgent open 3 model+model_unexcused_20+model_sibling+household_2"}),
}  # fmt: skip


def told(alerts: Iterable[Alert]) -> set[str]:
    found = set()
    for alert in alerts:
        rules = [reason.split('"rule":"')[1].split('"')[0] for reason in alert.reasons]
        day = DAYS.index(alert.raised_on) if alert.raised_on in DAYS else alert.raised_on
        found.add(f"{alert.student} {alert.level} {alert.status} {day} {'+'.join(rules)}")
    return found


def check(case: Case, by: Judged, *, restarting: bool) -> None:
    worker = by.worker()
    for number, record in enumerate(case.records):
        worker.take(record)
        if restarting and number % 3 == 0:
            worker.restart()
    agrees(worker, case.records, by)
    window = worker.window("ann")
    assert (window and (window["enrolled_days"], window["absent_days"])) == case.days
    assert told(worker.standing()) == case.alerts


each = pytest.mark.parametrize("restarting", [False, True], ids=["", "restarting"])


@each
@pytest.mark.parametrize("name", CASES)
def test_rules(name: str, restarting: bool) -> None:
    check(CASES[name], Judged(), restarting=restarting)


@each
@pytest.mark.parametrize("name", UNDER_A_CAPACITY)
def test_places(name: str, restarting: bool) -> None:
    check(UNDER_A_CAPACITY[name], Judged(by_absences(), 2), restarting=restarting)
