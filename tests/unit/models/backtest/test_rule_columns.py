"""The rules over many students at once say what they say of one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.backtest.rule_columns import RuleColumns
from models.rules import Rules

from models.policy import Policy, default_policy, parse_policy
from tests.unit.models.backtest.telling import COLUMNS, Telling, random_days
from tests.unit.models.tracks import days_of

seeds = st.integers(0, 2**32)
LINE = 'reason = "r"\ntext = "t"\nclears = "c"\n'
OTHER = parse_policy(
    'version = "t"\ncalm_days = 2\n[shock]\n'
    + "".join(
        f'[[rules]]\nid = "{name}"\n{rule}\n{LINE}'
        for name, rule in {
            "a": 'kind = "streak"\nlevel = "watch"\ndays = 1',
            "b": 'kind = "streak"\nlevel = "elevated"\ndays = 2\nalways = true',
            "c": 'kind = "rate_to_date"\nlevel = "watch"\nrate = "1/3"\nmin_days = 1\nalways = true',
            "d": 'kind = "change"\nlevel = "urgent"\npoints = "0.05"\nmin_days = 1',
            "e": 'kind = "month"\nlevel = "elevated"\nmonth = 10\nuntil_month = 12\ncount = 1',
            "f": 'kind = "tardies"\nlevel = "urgent"\ncount = 2\ndays = 3',
            "g": 'kind = "move"\nlevel = "watch"\ncount = 1\ndays = 30',
        }.items()
    )
)
"""Another policy, whose rules hold often, at other lengths."""


def check(telling: Telling, columns: RuleColumns, students: list[int]) -> set[int]:
    days = np.array([telling.tracks[student].ordinals[-1] for student in students], np.int32)
    found = columns.assess(telling.ledger, np.array(students, np.intp), days).tolist()
    assert found == [telling.tracks[student].rule_levels[-1] for student in students]
    return set(found)


@pytest.mark.parametrize("policy", [default_policy(), OTHER], ids=["shipped", "other"])
@given(seeds)
@settings(max_examples=8, deadline=None)
def test_they_hold_on_the_same_days(policy: Policy, seed: int) -> None:
    random = Random(seed)
    telling = Telling([random_days(random, random.randint(1, 110)) for _ in range(5)], Rules(policy, 2016))
    columns = RuleColumns(policy, 2016, COLUMNS)

    for students in telling.tell():
        check(telling, columns, students)
    for student in random.sample(range(5), 3):
        first = random.randrange(len(telling.days[student]))
        telling.correct(student, first, telling.days[student][first + 1 :])
    for students in telling.tell():
        check(telling, columns, students)


@pytest.mark.parametrize(("policy", "least"), [(default_policy(), 4), (OTHER, 6)], ids=["shipped", "other"])
def test_these_days_reach_every_level(policy: Policy, least: int) -> None:
    random = Random(0)
    telling = Telling([random_days(random, 100) for _ in range(30)], Rules(policy, 2016))
    columns = RuleColumns(policy, 2016, COLUMNS)

    met = {level for students in telling.tell() for level in check(telling, columns, students)}

    assert len(met) >= least


@pytest.mark.parametrize(
    ("days", "holds"),
    [("P" * 40 + "UUPUPPPPUP", 2), ("U" + "P" * 9, 1), ("PUUU", 1), ("PUU", 0), ("U" * 10, 3 + 4 * 3)],
)
def test_a_rule_holds_at_its_threshold(days: str, holds: int) -> None:
    policy = default_policy()
    telling = Telling([days_of(days)], Rules(policy, 2016))
    columns = RuleColumns(policy, 2016, COLUMNS)
    last = [check(telling, columns, students) for students in telling.tell()][-1]

    assert last == {holds}
