"""The rules over many students' days at once say what a plain reading of each rule says of one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.ledger import Pairs
from models.engine.rules import ALWAYS, Rules
from models.policy import Policy, RateToDate, default_policy, parse_policy
from tests.unit.models.engine import plain
from tests.unit.models.tracks import Telling, days_of, random_days, track_of

pytestmark = pytest.mark.slow

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


def assess(telling: Telling, student: int, *, assumed: bool = False) -> list[int]:
    """What the rules give on each day."""
    pairs = telling.cohort.days_of(student)
    return telling.cohort.rules.assess(telling.cohort.ledger, pairs, np.full(len(pairs.row), assumed)).tolist()


def check(telling: Telling, policy: Policy, student: int) -> set[int]:
    days, found = telling.days(student), assess(telling, student)
    expected = [plain.assessed(policy, days[: place + 1]) for place in range(len(days))]
    assert [(level % ALWAYS, level // ALWAYS) for level in found] == expected
    return set(found)


@pytest.mark.parametrize("policy", [default_policy(), OTHER], ids=["shipped", "other"])
@given(seeds)
@settings(max_examples=6, deadline=None)
def test_they_hold_on_the_same_days(policy: Policy, seed: int) -> None:
    random = Random(seed)
    telling = Telling(3, rules=Rules(policy, 2016))
    for student in range(3):
        telling.tell(student, random_days(random, random.randint(1, 90)))
    telling.evaluate()

    for student in range(3):
        check(telling, policy, student)
    for student in random.sample(range(3), 2):
        telling.take_back(student, [random.choice(telling.days(student))])
    telling.evaluate()
    for student in range(3):
        check(telling, policy, student)


@pytest.mark.parametrize(("policy", "least"), [(default_policy(), 4), (OTHER, 6)], ids=["shipped", "other"])
def test_these_days_reach_every_level(policy: Policy, least: int) -> None:
    random = Random(0)
    telling = Telling(12, rules=Rules(policy, 2016))
    for student in range(11):
        telling.tell(student, random_days(random, 100))
    telling.tell(11, days_of("P" * 20 + "U" * 12))
    telling.evaluate()

    met = {level for student in range(12) for level in check(telling, policy, student)}

    assert len(met) >= least


@pytest.mark.parametrize(
    ("days", "holds"),
    [("P" * 40 + "UUPUPPPPUP", 2), ("U" + "P" * 9, 1), ("PUUU", 1), ("PUU", 0), ("U" * 10, 3 + 4 * 3)],
)
def test_a_rule_holds_at_its_threshold(days: str, holds: int) -> None:
    assert track_of(days).rule_levels[-1] == holds


def test_where_the_calendar_is_assumed_no_rate_is_judged() -> None:
    telling = Telling()
    telling.tell(0, days_of("UPPPPPPPPU"))
    telling.evaluate()
    pairs = telling.cohort.days_of(0)
    last = pairs.at(pairs.position == 10)

    assert assess(telling, 0)[-1] == 2
    assert assess(telling, 0, assumed=True)[-1] == 0
    named = [holding(telling, last, assumed=assumed) for assumed in (False, True)]
    assert any(isinstance(rule, RateToDate) for rule in named[0])
    assert named[1] == []


def holding(telling: Telling, day: Pairs, *, assumed: bool) -> list[object]:
    """The rules that hold on one day."""
    found = telling.cohort.rules.holding(telling.cohort.ledger, day, np.array([assumed]))
    return [rule for rule, holds in found if holds[0]]
