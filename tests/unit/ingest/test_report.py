"""What an import says of rows that it could not use."""

from __future__ import annotations

import tracemalloc

import pytest

from services.ingest.formats import Rejection
from services.ingest.imports.report import Rejections

pytestmark = pytest.mark.slow


def test_rejections_come_back_in_order_and_the_most_frequent_are_told_first():
    given = [
        Rejection("attendance.csv", 2, "date", "date: expected a date"),
        *(Rejection("attendance.csv", line, "status", "status: expected one") for line in range(3, 10)),
        Rejection("b.csv", 4, "date", "date: expected a date"),
    ]
    rejections = Rejections()
    rejections.extend(given[:4])
    rejections.extend(given[4:])

    assert list(rejections) == given
    assert rejections.by_reason() == {"date: expected a date": 2, "status: expected one": 7}
    (wrong, number, lines), *_ = rejections.worst()
    assert (wrong.file, wrong.field, number, lines) == ("attendance.csv", "status", 7, [3, 4, 5, 6, 7])


def test_half_a_million_rejections_take_some_megabytes():
    rejections = Rejections()
    tracemalloc.start()
    try:
        rejections.extend(Rejection("attendance.csv", line, "date", "date: expected a date") for line in range(500_000))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(rejections) == 500_000
    assert held < 8_000_000
