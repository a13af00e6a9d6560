"""The commands of inspections and destruction: what they ask for, and how they say what there is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from services.cli import destroy as destroying
from services.cli import inspections as counting
from services.cli.inspect_ import inspect
from services.cli.inspections_check import judge_inspections
from services.ingest.erasure.receipts import DestructionReceipt
from services.ingest.inspection.opened import Countdown, Inspection

RECEIPT = DestructionReceipt(
    id=UUID(int=1),
    state="held",
    what={"ingest.students": 2, "ingest.taken": 1_041},
    students=2,
    held=1,
    where=["ingest"],
    before=3,
    begun_at=datetime(2018, 12, 31, 5, 0, tzinfo=UTC),
    ended_at=None,
    by="destroy_by",
    clause="DSA-2016, version 1: destroy_by 2018-12-31",
    proofs=[UUID(int=2)],
)


def opened(days_left: int, closed_on: date | None = None) -> Countdown:
    by = None if closed_on is None else "cli:her"
    return Countdown(Inspection(3, date(2016, 12, 7), date(2017, 1, 21), "cli:me", closed_on, by), days_left)


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (opened(45), "Inspection 3, asked for on 2016-12-07: 45 days left, to be shown by 2017-01-21"),
        (opened(1), "Inspection 3, asked for on 2016-12-07: 1 day left, to be shown by 2017-01-21"),
        (opened(0), "Inspection 3, asked for on 2016-12-07: 0 days left, to be shown by 2017-01-21"),
        (opened(-1), "Inspection 3, asked for on 2016-12-07: OVERDUE by 1 day, was to be shown by 2017-01-21"),
        (opened(-9, date(2017, 1, 2)), "Inspection 3, asked for on 2016-12-07: closed on 2017-01-02 by cli:her"),
    ],
)
def test_the_days_that_are_left_are_told(one: Countdown, line: str) -> None:
    assert counting.describe([one]) == [line]


@pytest.mark.parametrize(
    ("one", "state", "days_left"),
    [(opened(2), "open", 2), (opened(-2), "overdue", -2), (opened(-2, date(2017, 1, 2)), "closed", None)],
)
def test_json_says_the_state(one: Countdown, state: str, days_left: int | None) -> None:
    found = counting.document(one)
    assert (found["state"], found["days_left"]) == (state, days_left)


def test_doctor_fails_when_one_is_overdue() -> None:
    assert judge_inspections(0).status == "ok"
    assert (judge_inspections(2).status, judge_inspections(2).detail) == ("failed", "2 open for more than 45 days")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["correct", "D-1"], "--statement TEXT or --file FILE"),
        (["correct", "D-1", "--statement", "a", "--file", __file__], "--statement TEXT or --file FILE"),
        (["correct", "D-1", "--statement", " \n"], "The statement is empty"),
        (["correct", "D-1", "--statement", "bell \a"], "10,000 printable characters"),
        (["correct", "D-1", "--statement", "a" * 10_001], "10,000 printable characters"),
        (["decide", "3"], "Say --amended or --refused"),
        (["close", "D-1"], "not a valid integer"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(counting.inspections, arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_statement_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "statement.txt"
    file.write_bytes(b"\xff\xfe")
    done = CliRunner().invoke(counting.inspections, ["correct", "D-1", "--file", str(file)])
    assert (done.exit_code, "it is not text in UTF-8" in done.output) == (2, True)


@pytest.mark.parametrize("arguments", [[], ["--student", "1", "--agreement", "DSA"], ["--receipts", "--student", "1"]])
def test_destruction_asks_for_one_thing(arguments: list[str]) -> None:
    done = CliRunner().invoke(destroying.destroy, arguments)
    assert (done.exit_code, "Say one of" in done.output) == (2, True)


def test_without_the_pseudonym_key_nobody_is_looked_for(tmp_path: Path) -> None:
    done = CliRunner().invoke(inspect, ["D-1", "--out", str(tmp_path / "page.html"), "--data-dir", str(tmp_path)])
    assert (done.exit_code, "There is no pseudonym key" in done.output) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_receipt_says_what_where_when_by_whom_and_under_which_clause() -> None:
    assert list(destroying.describe(RECEIPT))[:9] == [
        "Receipt 00000000-0000-0000-0000-000000000001: held",
        "  under     DSA-2016, version 1: destroy_by 2018-12-31",
        "  by        destroy_by",
        "  when      2018-12-31 05:00:00 UTC",
        "  students  2",
        "  where     ingest",
        "          2 ingest.students",
        "      1,041 ingest.taken",
        "  erased before, as consents ended: 3 feeds (`firstbell proofs`)",
    ]
    assert "waits for inspections to be closed: 1" in "\n".join(destroying.describe(RECEIPT))
