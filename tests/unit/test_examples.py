"""The examples can be used as they are, and what CONTRIBUTING names is there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from models.policy import parse_policy
from services.ingest.agreement.reading import load_agreement
from services.ingest.formats import Item, open_sources
from services.ingest.rows.kinds import RECORD_TABLES
from services.platform.sharing import OTHER_RECORDS
from services.platform.teams import parse_teams

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def test_the_policy_is_one() -> None:
    policy = parse_policy((EXAMPLES / "policy.toml").read_text(encoding="utf-8"))
    assert [rule.id for rule in policy.rules] == ["streak_4", "streak_8", "rate_15"]


def test_the_teams_are_some() -> None:
    assert parse_teams(EXAMPLES / "teams.toml")


def test_the_table_is_read_by_its_mapping() -> None:
    source = open_sources([EXAMPLES / "attendance.txt"], EXAMPLES / "mapping.toml")
    rows = [found.row for found in source.attendance() if isinstance(found, Item)]
    assert Counter(row.status for row in rows) == {"absent": 1, "present": 1, "tardy": 1}
    assert (source.warnings, source.not_read) == ([], [])


def test_the_district_has_every_file_and_nothing_wrong_in_it() -> None:
    source = open_sources([EXAMPLES / "district"])
    assert source.readers.records.keys() == RECORD_TABLES.keys()
    found = [one for name in RECORD_TABLES for one in source.records(name)]
    found += [*source.terms(), *source.students(), *source.consents(), *source.attendance()]
    assert [one for one in found if not isinstance(one, Item)] == []
    assert (source.warnings, source.not_read) == ([], [])
    (agreement,) = source.readers.agreements
    assert {feed.kind for feed in load_agreement(agreement).all_feeds()} == {"attendance", *OTHER_RECORDS}


def test_every_path_in_contributing_and_the_examples_readme_is_there() -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    named += [
        f"examples/{name}"
        for name in re.findall(r"^\| `(\w+\.\w+)`", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    ]
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
