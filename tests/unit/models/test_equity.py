"""False alerts by group: what is shown, and what cannot be found from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.equity import EquityCell, JudgedStudent, equity, suppressed, widest_gap

SMALL = 10


def people(**values: tuple[int, int]) -> list[JudgedStudent]:
    """By value: how many students, and of how many every alert was false."""
    return [
        JudgedStudent({"gender": value}, number < false)
        for value, (students, false) in values.items()
        for number in range(students)
    ]


def test_rates_are_shares_of_judged_students_with_an_interval() -> None:
    cells = equity(people(F=(40, 10), M=(20, 10)), ["gender"], SMALL)["gender"]
    assert {value: cell.rate for value, cell in cells.items()} == {"F": 0.25, "M": 0.5}
    low, high = cells["M"].interval or (0, 0)
    assert (low, high) == (pytest.approx(0.327, abs=1e-3), pytest.approx(0.673, abs=1e-3))
    assert widest_gap(cells) == 0.25


def test_one_small_cell_hides_the_smallest_other_with_it() -> None:
    cells = equity(people(F=(40, 10), M=(20, 10), X=(3, 1)), ["gender"], SMALL)["gender"]
    assert {value for value, cell in cells.items() if cell.students is None} == {"M", "X"}
    assert widest_gap(cells) is None


def test_who_has_no_known_value_is_a_cell_of_its_own_and_no_end_of_a_gap() -> None:
    known = people(F=(40, 10), M=(20, 10))
    cells = equity([*known, *[JudgedStudent({}, is_false=True)] * 30], ["gender"], SMALL)["gender"]
    assert cells[""] == EquityCell(30, 30)
    assert widest_gap(cells) == 0.25


def test_cells_that_the_district_hides_stay_hidden() -> None:
    given_ = {"F": EquityCell(40, 10), "M": EquityCell(30, 3), "X": EquityCell()}
    cells = suppressed(given_, SMALL)
    assert cells == {"F": EquityCell(40, 10), "M": EquityCell(), "X": EquityCell()}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(1, 60), min_size=1, max_size=8))
def test_no_hidden_cell_can_be_found_from_what_is_shown_and_the_number_of_all(sizes: dict[str, int]) -> None:
    cells = equity(people(**{value: (size, 0) for value, size in sizes.items()}), ["gender"], SMALL)["gender"]
    hidden = {value for value, cell in cells.items() if cell.students is None}
    assert {value for value, size in sizes.items() if size < SMALL} <= hidden
    # What is left of the number of all is shared by at least two, and by enough students; or nothing is shown at all.
    rest = sum(sizes[value] for value in hidden)
    assert not hidden or hidden == set(sizes) or (len(hidden) > 1 and rest >= SMALL)
