"""Whatever a file holds, reading it ends, in rows and rejections alone."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.formats import Rejection, edfi_courses, edfi_demographics, edfi_records, open_sources
from services.ingest.formats.edfi_fields import Resource
from services.ingest.formats.mapping import Mapping
from tests.unit.ingest.formats import edfi_files as edfi

STARTS = {
    "attendance.csv": b"student_id,school_id,date,status\n",
    "studentSchoolAttendanceEvents.json": b"[",
    "studentSchoolAttendanceEvents.ndjson": b"{",
    "events.xml": edfi.interchange("StudentAttendance", edfi.event("S1")).encode()[:-30],
}
PIECES = [b'"', b",", b"\r", b"\n", b"\0", b"\xff", b"[", b"]", b"{", b"}", b":", b"<", b">", b"/", b"&", b"x", b"1"]
GOOD = b"S1,burke,2016-12-01,absent\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@pytest.mark.parametrize("name", STARTS)
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200) | st.lists(st.sampled_from([*PIECES, GOOD]), max_size=60).map(b"".join))
def test_any_content_is_read_to_its_end(folder, name, content):
    path = folder / name
    path.write_bytes(STARTS[name] + content)
    source = open_sources([path])
    for found in source.attendance():
        assert found.line >= 1
        assert not isinstance(found, Rejection) or found.reason
    assert source.bytes_read <= source.size()


@settings(max_examples=60, deadline=None)
@given(content=st.lists(st.sampled_from([b'"', b",", b"\n", b"\0", b"\xff", b"x"]), max_size=40).map(b"".join))
def test_a_good_row_after_any_rows_is_still_read(folder, content):
    path = folder / "attendance.csv"
    path.write_bytes(STARTS["attendance.csv"] + content + b"\n" + GOOD * 120)
    found = list(open_sources([path]).attendance())
    assert sum(not isinstance(entry, Rejection) for entry in found) >= 119


RESOURCES: list[Resource[object]] = [
    *edfi_courses.CATALOGUE,
    *edfi_courses.TERMS,
    edfi_courses.COURSES,
    edfi_courses.GRADES,
    *edfi_demographics.DEMOGRAPHICS,
    *(one for resources in edfi_records.RECORDS.values() for one in resources),
]
CODES = ["x#In School Suspension", "x#Graduated", "x#Regular diploma", "x#Grading Period", "x#Scale score", "x#\0", "#"]
TEXTS = st.sampled_from([*CODES, "", " ", "\0", "2021-09-07", "2021-2022", "S1", "B+", "88.5", "y" * 300])
VALUES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats() | st.just({"a": []})
ANY = VALUES | st.lists(VALUES, max_size=3)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.element)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_values_of_a_resource_become_a_row_that_can_be_kept_or_none(resource, data):
    values = {field.name: data.draw(ANY) for field in resource.fields}
    row = resource.parse(values, Mapping())
    assert row is None or "\0" not in "".join(map(str, astuple(row)))
