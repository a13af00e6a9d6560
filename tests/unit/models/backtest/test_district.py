"""What became known late is told anew, and only that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import numpy as np

from models.arrays import Places
from models.backtest.district import Year
from models.backtest.history import Counts, History
from models.backtest.walk import Walker
from models.enrollment import FOREVER, Span
from models.policy import default_policy
from tests.unit.models.backtest.districts import BEFORE, FIRST, Child, District, Row, history_of

POLICY = default_policy()
TUESDAY = FIRST
DAYS = [day for day in range(TUESDAY, TUESDAY + 14) if day % 7 not in (6, 0)]


def history(rows: list[Row], *children: Child) -> History:
    district = District({"A": dict.fromkeys(DAYS, True)}, list(children or [child("ann")]))
    for row in rows:
        district.rows[row.handed_in].append(row)
    return history_of(district)


def child(name: str) -> Child:
    return Child(name, None, (Span(BEFORE, FOREVER, "A"),), ((BEFORE, FOREVER),))


def at(day: int) -> datetime:
    return datetime.combine(date.fromordinal(day), time(15), UTC)


def walker(of: History) -> Walker:
    return Walker(of, POLICY, None, None)


def year_of(walked: Walker) -> Year:
    [year] = walked.district.years.values()
    return year


def everybody(walked: Walker) -> Places:
    return np.arange(year_of(walked).cohort.register.rows)


def learned(walked: Walker, day: int) -> list[int | None]:
    """Learn and decide what was handed in on a day; of each student, the first column that changed."""
    cohort = year_of(walked).cohort
    before = cohort.register.kept.copy()
    walked.district.learn(day)
    cohort.evaluate_all()
    differs = before != cohort.register.kept
    return [int(row.argmax()) if row.any() else None for row in differs[: cohort.register.rows]]


def shocks(walked: Walker) -> list[bool]:
    """Of school A, as the engine has them."""
    register = year_of(walked).cohort.register
    return register.shock[register.number("A"), : register.columns].tolist()


def test_days_handed_in_together_count_one_by_one() -> None:
    """No other school reports on that day: the newest day is not the first that changed."""
    walked = walker(history([Row("ann", "A", day, "absent", recorded_at=at(DAYS[5])) for day in DAYS[:5]]))

    walked.run()

    last = year_of(walked).cohort.ledger.last_days(everybody(walked))
    assert last.position.tolist() == [5]
    assert last.streak.tolist() == [5]


def test_nothing_is_known_before_it_is_handed_in() -> None:
    walked = walker(
        history([Row("ann", "A", DAYS[0], "present"), Row("ann", "A", DAYS[1], "absent", recorded_at=at(DAYS[4]))])
    )

    seen: list[int] = []
    walked.run(progress=lambda *_: seen.append(int(year_of(walked).cohort.ledger.length[0])))

    assert seen[:5] == [1, 1, 1, 1, 1]
    assert seen[DAYS[4] - DAYS[0]] == 2


def test_a_silent_day_before_a_report_was_a_day_of_presence() -> None:
    walked = walker(history([Row("ann", "A", DAYS[0], "absent"), Row("ann", "A", DAYS[3], "absent")]))

    walked.run()

    cohort = year_of(walked).cohort
    assert cohort.ledger.length[everybody(walked)].tolist() == [4]
    assert cohort.inputs(everybody(walked))[0, 1] == 2


def test_a_mark_that_says_what_was_taken_for_granted_changes_nothing() -> None:
    said = [Row("ann", "A", DAYS[2], "present", recorded_at=at(DAYS[6]))]
    of = history([Row("bob", "A", day, "present") for day in DAYS[:8]] + said, child("ann"), child("bob"))
    walked = walker(of)

    changed = [learned(walked, day) for day in range(DAYS[0], DAYS[7] + 1)]

    assert changed[DAYS[6] - DAYS[0]] == [6, 6]
    assert changed[1] == [1, 1]


def test_a_day_that_turns_to_and_fro_at_once_stays_as_it_was() -> None:
    """Two counts that come together: by the first the last day is a shock day, by both it is none."""
    absent = {DAYS[1]: 0, DAYS[2]: 0, DAYS[3]: 14, DAYS[4]: 14, DAYS[5]: 15}
    rows = [(DAYS[0], 0, DAYS[0], 0, 0, 0), *((day, 0, day, absences, 50, 50) for day, absences in absent.items())]
    rows += [(DAYS[6], 0, DAYS[0], 0, 50, 50), (DAYS[6], 0, DAYS[1], 14, 50, 50)]
    of = history([Row("ann", "A", day, "present") for day in DAYS[:7]])
    walked = walker(replace(of, counts=Counts(*np.array(rows, np.int32).T.copy())))

    for day in range(DAYS[0], DAYS[6]):
        learned(walked, day)
    changed = learned(walked, DAYS[6])

    assert not walked.district.facts.schools[0].shocks
    assert not any(shocks(walked))
    assert changed == [6]


def test_a_shock_day_that_becomes_known_is_told_anew() -> None:
    rows = [(day, 0, day, 30 if day == DAYS[6] else 1, 50, 50) for day in DAYS[:6]]
    rows.append((DAYS[7], 0, DAYS[6], 30, 50, 50))
    of = history([Row("ann", "A", day, "present") for day in DAYS[:8]])
    walked = walker(replace(of, counts=Counts(*np.array(rows, np.int32).T.copy())))

    for day in range(DAYS[0], DAYS[7]):
        learned(walked, day)

    assert learned(walked, DAYS[7]) == [6]
    assert shocks(walked) == [day == DAYS[6] for day in walked.district.columns]
