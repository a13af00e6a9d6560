from __future__ import annotations

import csv
import io

import pytest

from services.casework.history.as_csv import COLUMNS, inert, to_csv, wants_csv
from services.casework.history.schemas import EXAMPLE, Alert
from services.platform.notice import NOTICE


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/csv", True),
        ("text/csv;q=0.9, application/json;q=0.5", True),
        ("application/json, text/csv;q=0.5", False),
        ("*/*", False),
        ("", False),
        ("text/html", False),
        ("text/csv;q=0", False),
        ("text/csv;q=x", False),
        ("Text/CSV, */*;q=0.1", True),
    ],
)
def test_csv_is_for_those_who_ask_for_it(accept: str, wanted: bool) -> None:
    assert wants_csv(accept) is wanted


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


def test_a_page_as_csv_has_a_header_and_reads_back() -> None:
    alert = Alert.model_validate({**EXAMPLE, "school_id": '=HYPERLINK("x")', "student": "-abc"})
    header, row = csv.reader(io.StringIO(to_csv([alert])))
    assert tuple(header) == COLUMNS
    cells = dict(zip(header, row, strict=True))
    assert cells["id"] == str(alert.id)
    assert cells["school_id"] == '\'=HYPERLINK("x")'
    assert cells["student"] == "'-abc"
    assert cells["dates"].split(";")[0] == "2016-12-05"
    assert cells["updated_at"] == "2016-12-09T13:05:11.204000+00:00"
    assert row[-1] == cells["notice"] == NOTICE
