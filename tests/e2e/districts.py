"""District export folders for these tests."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.system import firstbell

CONSENT = {
    "agreement_id": "boston-2016",
    "signed_by": "A. Guardian",
    "relationship": "parent",
    "signed_on": "2016-08-15",
    "method": "paper",
    "records": "attendance;grades",
    "purpose": "homelessness-prevention",
    "recipients": "dsni;project-hope",
}
"""A consent that covers what is needed, in force from before the school year, without an end."""

IDS = {"student_id", "school_id", "household_id"}

WEEK = [f"2016-12-{day:02}" for day in range(5, 10)]
"""Monday to Friday."""


def write_csv(folder: Path, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a file with the columns of its first row."""
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def simulate(folder: Path, students: int) -> Path:
    """A simulated year of 2016, whose consents have no end unless they were revoked."""
    firstbell("simulate", "--students", str(students), "--seed", "5", "--year", "2016", "--out", folder)
    with (folder / "consents.csv").open(encoding="utf-8", newline="") as file:
        consents = list(csv.DictReader(file))
    write_csv(folder, "consents.csv", [{**consent, "expires_on": ""} for consent in consents])
    return folder


def with_prefix(source: Path, folder: Path, prefix: str) -> Path:
    """The same district once more, with every id prefixed: other pseudonyms, other partitions."""
    for path in source.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_prefixed(row, prefix) for row in csv.DictReader(file)]
        write_csv(folder, path.name, rows)
    return folder


def _prefixed(row: dict[str, str], prefix: str) -> dict[str, str]:
    return {name: prefix + value if value and name in IDS else value for name, value in row.items()}
