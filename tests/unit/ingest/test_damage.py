"""Good files damaged as spreadsheets, pipelines and people damage them: each row is counted, or its file is named."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import FormatError, open_sources
from services.ingest.imports.dry_run import rehearse
from services.ingest.imports.report import Report
from services.ingest.settings import IngestSettings

pytestmark = pytest.mark.slow

CONSENTS = "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n" + "".join(
    f"{number:06},a,A. Guardian,parent,2016-08-15,paper,attendance,homelessness-prevention,project-hope\n"
    for number in range(4)
)
SETTINGS = IngestSettings()
HEADER = "student_id,school_id,date,status,excused,reason\n"


class Saved(NamedTuple):
    """How a table was saved; none of it changes what the table says."""

    separator: str
    newline: str
    encoding: str
    before: str
    after: str
    packing: str
    stem: str

    def write(self, table: str, folder: Path) -> None:
        text = (table + self.after).replace(",", self.separator)
        data = (self.before + text).replace("\n", self.newline).encode(self.encoding)
        name = f"{self.stem}.{'txt' if self.separator == chr(9) else 'csv'}"
        if self.packing == "gzip":
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        elif self.packing == "zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr(name, data)
            (folder / "export.zip").write_bytes(packed.getvalue())
        else:
            (folder / name).write_bytes(data)


saved = st.builds(
    Saved,
    separator=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    before=st.sampled_from(["", "", "sep=;\n", "An export of the district\n\n", "Printed 2016-12-09\n"]),
    after=st.sampled_from(["", "\n", ",,,,,\n,,,,,\n", "\n\n  \n"]),
    packing=st.sampled_from(["", "", "gzip", "zip"]),
    stem=st.sampled_from(["attendance", "Attendance", "attendance_2016-12", "attendance (1)"]),
)
rows = st.lists(
    st.builds(
        "{:06},{},2016-12-{:02},{},{},{}\n".format,
        st.integers(0, 5),
        st.sampled_from(["burke", "0455"]),
        st.integers(1, 31),
        st.sampled_from(["absent", "present", "tardy", "ill", "retracted"]),
        st.sampled_from(["", "true", "no", "perhaps"]),
        st.sampled_from(["", "flu", '"a, ""b"""', '"two\nlines"']),
    ),
    min_size=1,
    max_size=30,
)


_numbers = count()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damage")


def fresh(base: Path) -> Path:
    folder = base / str(next(_numbers))
    folder.mkdir()
    (folder / "consents.csv").write_text(CONSENTS, encoding="utf-8")
    return folder


def told(folder: Path) -> Report:
    source = open_sources([folder])
    return rehearse(source, agreement_of(source).agreement, SETTINGS, datetime.now(UTC), lambda _: None)


def judged(report: Report) -> tuple[dict[str, int], dict[str, int]]:
    return report.mark_counts(), dict(report.rejections.by_reason())


@settings(max_examples=80, deadline=None)
@given(table=rows, how=saved)
def test_however_a_table_was_saved_its_rows_come_to_the_same(base: Path, table: list[str], how: Saved) -> None:
    table = [row for row in table if how.separator == "," or '"' not in row]  # a quoted comma would be replaced, too
    plain, other = fresh(base), fresh(base)
    (plain / "attendance.csv").write_text(HEADER + "".join(table), encoding="utf-8")
    how.write(HEADER + "".join(table), other)

    expected, found = told(plain), told(other)
    assert expected.read == len(table)
    assert judged(found) == judged(expected)
    assert found.not_read == []


@settings(max_examples=120, deadline=None)
@given(table=rows, how=saved, at=st.floats(0, 1), damage=st.sampled_from(["cut", "byte", "zeros", "again"]))
def test_whatever_is_damaged_no_row_is_lost_in_silence(
    base: Path, table: list[str], how: Saved, at: float, damage: str
) -> None:
    folder = fresh(base)
    how.write(HEADER + "".join(table), folder)
    (file,) = (path for path in folder.iterdir() if path.name != "consents.csv")
    data = file.read_bytes()
    place = int(at * (len(data) - 1))
    damaged = {
        "cut": data[:place],
        "byte": data[:place] + b"\xff" + data[place + 1 :],
        "zeros": data[:place] + b"\0\0" + data[place:],
        "again": data + data[place:],
    }[damage]
    file.write_bytes(damaged)
    try:
        report = told(folder)
    except FormatError:
        return  # the header was damaged: nothing is taken, and the message says so
    if report.read < len(table) and damage != "cut":
        assert report.rejections or report.not_read
