from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from models.training.examples import joined
from models.training.split import FOLDS, TrainingError, horizon_end, household_folds, time_split
from models.training.table import rows_of
from tests.unit.models.training.towns import HORIZON, town


def test_a_household_is_in_one_fold_whatever_the_order_of_rows() -> None:
    household = np.random.default_rng(1).integers(0, 500, 4000).astype(np.int32)
    folds = household_folds(household, 7)
    assert set(folds.tolist()) == set(range(FOLDS))
    of = dict(zip(household.tolist(), folds.tolist(), strict=True))
    assert [of[number] for number in household.tolist()] == folds.tolist()
    assert household_folds(household[::-1], 7).tolist() == folds[::-1].tolist()
    assert household_folds(household, 8).tolist() != folds.tolist()


@pytest.mark.parametrize("whole_year", [True, False])
@pytest.mark.parametrize("years", [1, 2])
def test_what_is_learned_from_was_over_before_the_first_judged_week(years: int, *, whole_year: bool) -> None:
    towns = [town(year, households=20, first=date(2023 + year, 9, 2)) for year in range(years)]
    examples = joined(towns)
    known = rows_of(examples, examples.judgeable)
    split = time_split(known, horizon_end(examples)[examples.judgeable], whole_year=whole_year)
    last_of_horizon = {
        (year, day): ordinal
        for year, day, ordinal in zip(
            examples.year.tolist(), examples.day.tolist(), examples.ordinal.tolist(), strict=True
        )
    }
    ends = [
        last_of_horizon[year, day + HORIZON]
        for year, day in zip(known.year[split.early].tolist(), known.day[split.early].tolist(), strict=True)
    ]
    assert max(ends) < known.ordinal[split.late].min() == split.first_late
    assert not (split.early & split.late).any()
    assert set(known.year[split.late].tolist()) == {years - 1}


def test_of_several_school_years_the_last_judges_whole_and_the_others_are_learned_from() -> None:
    examples = joined([town(2, households=5, first=date(2025, 9, 1)), town(1, households=5)])
    known = rows_of(examples, examples.judgeable)
    split = time_split(known, horizon_end(examples)[examples.judgeable], whole_year=True)
    assert split.early.tolist() == (known.year == 0).tolist()
    assert split.late.tolist() == (known.year == 1).tolist()


def test_districts_of_one_school_year_are_cut_on_the_same_day() -> None:
    examples = joined([town(1, households=5), town(2, households=5, first=date(2024, 8, 26))])
    known = rows_of(examples, examples.judgeable)
    split = time_split(known, horizon_end(examples)[examples.judgeable], whole_year=True)
    assert {int(year) for year in known.year[split.late]} == {0, 1} == {int(year) for year in known.year[split.early]}


def test_a_history_too_short_to_learn_and_judge_on_says_so() -> None:
    examples = town(1, households=5, weeks=11)
    known = rows_of(examples, examples.judgeable)
    with pytest.raises(TrainingError, match="too short"):
        time_split(known, horizon_end(examples)[examples.judgeable], whole_year=True)
