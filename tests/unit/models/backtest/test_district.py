"""What became known late is told anew, and only that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import numpy as np

from models.backtest.district import NEVER
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


def test_days_handed_in_together_count_one_by_one() -> None:
    """No other school reports on that day: the newest day is not the first that changed."""
    walked = walker(history([Row("ann", "A", day, "absent", recorded_at=at(DAYS[5])) for day in DAYS[:5]]))

    walked.run()

    assert walked.ledger.length.tolist() == [5]
    assert walked.ledger.streak[walked.ledger.at(np.array([0]), walked.ledger.length)].tolist() == [5]


def test_nothing_is_known_before_it_is_handed_in() -> None:
    walked = walker(
        history([Row("ann", "A", DAYS[0], "present"), Row("ann", "A", DAYS[1], "absent", recorded_at=at(DAYS[4]))])
    )

    seen: list[int] = []
    walked.run(progress=lambda *_: seen.append(int(walked.ledger.length[0])))

    assert seen[:5] == [1, 1, 1, 1, 1]
    assert seen[DAYS[4] - DAYS[0]] == 2


def test_a_silent_day_before_a_report_was_a_day_of_presence() -> None:
    walked = walker(history([Row("ann", "A", DAYS[0], "absent"), Row("ann", "A", DAYS[3], "absent")]))

    walked.run()

    assert walked.ledger.length.tolist() == [4]
    assert walked.ledger.inputs(np.array([0]))[0, 1] == 2


def test_a_mark_that_says_what_was_taken_for_granted_changes_nothing() -> None:
    said = [Row("ann", "A", DAYS[2], "present", recorded_at=at(DAYS[6]))]
    of = history([Row("bob", "A", day, "present") for day in DAYS[:8]] + said, child("ann"), child("bob"))
    walked = walker(of)

    changed = [walked.district.learn(day) for day in range(DAYS[0], DAYS[7] + 1)]

    assert changed[DAYS[6] - DAYS[0]].tolist() == [6, 6]
    assert changed[1].tolist() == [1, 1]


def test_a_day_that_turns_to_and_fro_at_once_stays_as_it_was() -> None:
    """Two counts that come together: by the first the last day is a shock day, by both it is none."""
    absent = {DAYS[1]: 0, DAYS[2]: 0, DAYS[3]: 14, DAYS[4]: 14, DAYS[5]: 15}
    rows = [(DAYS[0], 0, DAYS[0], 0, 0, 0), *((day, 0, day, absences, 50, 50) for day, absences in absent.items())]
    rows += [(DAYS[6], 0, DAYS[0], 0, 50, 50), (DAYS[6], 0, DAYS[1], 14, 50, 50)]
    of = history([Row("ann", "A", day, "present") for day in DAYS[:7]])
    walked = walker(replace(of, counts=Counts(*np.array(rows, np.int32).T.copy())))

    for day in range(DAYS[0], DAYS[6]):
        walked.district.learn(day)
    changed = walked.district.learn(DAYS[6])

    assert not walked.district.facts.schools[0].shocks
    assert not walked.district.shock.any()
    assert changed.tolist() == [6]
    assert NEVER not in changed


def test_a_shock_day_that_becomes_known_is_told_anew() -> None:
    rows = [(day, 0, day, 30 if day == DAYS[6] else 1, 50, 50) for day in DAYS[:6]]
    rows.append((DAYS[7], 0, DAYS[6], 30, 50, 50))
    of = history([Row("ann", "A", day, "present") for day in DAYS[:8]])
    walked = walker(replace(of, counts=Counts(*np.array(rows, np.int32).T.copy())))

    for day in range(DAYS[0], DAYS[7]):
        walked.district.learn(day)

    assert walked.district.learn(DAYS[7]).tolist() == [6]
    assert walked.district.shock.tolist() == [[day == DAYS[6] for day in walked.district.columns]]
