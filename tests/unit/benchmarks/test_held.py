"""What was flushed, added up."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.held import add_up, hold_core, hold_dicts, write_chunks
from benchmarks.marks import year_of
from benchmarks.publish import SINGLE, our_days, reference_records, single_days

pytestmark = pytest.mark.slow


def test_stored_is_the_last_value_of_each_key_with_its_key_and_written_is_all() -> None:
    assert add_up(["10 a", "5 bb", "7 a"]) == (7 + 1 + 5 + 2, 11 + 7 + 8)


def test_an_empty_value_drops_its_key() -> None:
    assert add_up(["10 a", "0 a"]) == (0, 12)


def test_core_and_dicts_read_their_files_to_the_end(tmp_path: Path) -> None:
    year = year_of(20, days=3)
    days = [[*day.marks, *day.closes] for day in our_days(year)]
    write_chunks(tmp_path / "ours", [list(reference_records(year)), *days])
    write_chunks(tmp_path / "peer", single_days(year, SINGLE))
    ours = hold_core(tmp_path / "ours", places=1)
    assert 0 < ours["stored_bytes"] < ours["written_bytes"]
    assert hold_dicts(tmp_path / "peer")["stored_bytes"] == 0
