"""Which days are to be added to the ledger, after what became known on a day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.backtest.district import NEVER, District
from models.backtest.history import Ints
from models.backtest.ledger import Ledger, Places, Small


def steps(district: District, ledger: Ledger, changed: Small) -> Iterator[tuple[Places, Ints]]:
    """Units and the column that each adds next; a unit is at most once in a step, its days in order.

    Days from a unit's first changed column on are cut off the ledger, and come again with what is known now.
    """
    units = np.flatnonzero(changed != NEVER)
    if not len(units):
        return
    first = changed[units]
    newest = np.int16(district.newest)
    # Nearly all have one day to add, the newest; the others are looked through by themselves.
    several = ledger.cut(units, first) | (first < newest)
    yield from _in_turn(district, units[several], first[several])
    single = units[~several]
    single = single[district.counted[single, newest]]
    if len(single):
        yield single, np.full(len(single), newest, dtype=np.int32)


def _in_turn(district: District, units: Places, first: Small) -> Iterator[tuple[Places, Ints]]:
    if not len(units):
        return
    since = int(first.min())
    counted = district.counted[units, since:] & (np.arange(since, len(district.columns)) >= first[:, None])
    row, column = np.nonzero(counted)
    turn = np.arange(len(row)) - np.searchsorted(row, np.arange(len(units)))[row]
    for number in range(int(turn.max(initial=-1)) + 1):
        at = turn == number
        yield units[row[at]], (column[at] + since).astype(np.int32)
