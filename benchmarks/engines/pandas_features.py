"""The features' counts as plain pandas has them: read the file, sort it, group by student, count.

Runs in an environment of its own; the arguments are attendance.csv, the file to write to, and how windows are counted:
`rolling` as pandas' documentation writes it (groupby, rolling, sum), or `totals`, the quickest way that plain pandas
has (running totals, less those of some days before). Of each row it makes the counts that `models.features.INPUTS`
names: days, days of each kind in the last 5, 10, 20, 40 and 45 and in the year to date, the streak, and the days since
a move.

What it does not do, and `firstbell backtest` does: look at consent and enrollment, hold a day back until it was handed
in, replace a row by its correction (each row is a day here), make one day of several sections, fill in the days of
presence of a school that sends absences alone, set shock days aside, score, apply rules, steer a capacity, measure.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped,unused-ignore]  # only in its own environment

WINDOWS = (5, 10, 20, 40, 45)
NO_MOVE = 91
KINDS = ["unexcused", "excused", "late", "left"]


def read(attendance: Path) -> pd.DataFrame:
    """The rows by student and date, a column of 0 and 1 for each kind of day."""
    columns = ["student_id", "school_id", "date", "status", "excused"]
    types = {"student_id": "category", "school_id": "category", "status": "category", "excused": "category"}
    rows = pd.read_csv(attendance, usecols=columns, dtype=types, parse_dates=["date"])
    rows = rows.sort_values(["student_id", "date"], kind="stable", ignore_index=True)
    absent, excused = rows["status"] == "absent", rows["excused"].astype(str).str.lower() == "true"
    rows["unexcused"] = (absent & ~excused).astype("int8")
    rows["excused"] = (absent & excused).astype("int8")
    rows["late"] = (rows["status"] == "tardy").astype("int8")
    rows["left"] = rows["status"].isin(["early_departure", "partial"]).astype("int8")
    return rows


def rolling(rows: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Per window, the days of each kind among the last so many."""
    by_student = rows.groupby("student_id", observed=True)[KINDS]
    for window in WINDOWS:
        yield window, by_student.rolling(window, min_periods=1).sum().reset_index(drop=True)


def totals(rows: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """The same, by difference."""
    year = year_to_date(rows)
    by_student = year.groupby(rows["student_id"], observed=True)
    for window in WINDOWS:
        yield window, year - by_student.shift(window, fill_value=0)


def year_to_date(rows: pd.DataFrame) -> pd.DataFrame:
    """The days of each kind so far."""
    return rows.groupby("student_id", observed=True)[KINDS].cumsum().astype("int16")


def count(rows: pd.DataFrame, windows: Iterator[tuple[int, pd.DataFrame]]) -> pd.DataFrame:
    """All counts, in the order of the rows."""
    students = rows["student_id"]
    days = rows.groupby("student_id", observed=True).cumcount() + 1
    counts = {"days": days.astype("int16")}
    for window, found in windows:
        counts |= {f"{kind}_{window}": column.astype("int16") for kind, column in found.items()}
    counts |= {f"{kind}_year": column for kind, column in year_to_date(rows).items()}
    attended = (rows["unexcused"] == 0) & (rows["excused"] == 0)
    run = attended.groupby(students, observed=True).cumsum()
    counts["streak"] = rows["unexcused"].groupby([students, run], observed=True).cumsum().astype("int16")
    before = rows.groupby("student_id", observed=True)["school_id"].shift()
    moved_at = days.where((rows["school_id"] != before) & before.notna()).groupby(students, observed=True).ffill()
    counts["since_move"] = (days - moved_at).clip(upper=NO_MOVE).fillna(NO_MOVE).astype("int16")
    return pd.DataFrame(counts)


def main(attendance: Path, result: Path, way: str) -> None:
    """Count, and tell how many rows there were and what the counts add up to: all of them were made."""
    rows = read(attendance)
    counts = count(rows, {"rolling": rolling, "totals": totals}[way](rows))
    result.write_text(json.dumps({"rows": len(rows), "sums": counts.sum().to_dict()}, default=int))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
