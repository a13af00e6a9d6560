"""The district of the tests' ODS is read without a rejection, and its keys are whole."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from services.ingest.formats import Item, open_sources
from services.ingest.rows.kinds import RECORD_TABLES
from tests.ods.answers import Versions, rows
from tests.ods.district import fill
from tests.ods.keys import key_values
from tests.ods.office import EVENTS, Office
from tests.ods.store import OdsState


def district(students: int = 4) -> OdsState:
    state = OdsState()
    fill(state, students, begin_year=2016)
    return state


def test_every_row_is_read_as_an_import_reads_it(tmp_path: Path) -> None:
    state = district()
    for resource in state.rows:
        answer = rows(state, resource, Versions(0, state.version))
        (tmp_path / f"{resource}.json").write_text(json.dumps(answer))
    source = open_sources([tmp_path])
    marks = list(source.attendance())
    assert len(marks) == len(state.standing(EVENTS)) > 4
    found = {name: list(source.records(name)) for name in RECORD_TABLES if name != "eligibility"}
    assert all(isinstance(one, Item) for some in (marks, *found.values()) for one in some)
    assert all(found.values())


def test_no_key_lacks_a_part() -> None:
    state = district()
    lacking = {
        (resource, name)
        for resource in state.rows
        for row in state.standing(resource)
        for name, value in key_values(resource, row.body).items()
        if value is None
    }
    assert lacking == set()


def test_the_office_does_the_same_for_the_same_seed() -> None:
    ends = []
    for _ in range(2):
        state, office = district(), Office(7, 4, date(2016, 8, 23), most=60)
        while office.left:
            office(state)
        ends.append(state)
    assert ends[0] == ends[1]
    assert ends[0].deletes
    assert ends[0].key_changes
