"""A dry run under an agreement with several parties and forms: a row is what the best of them makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import open_sources
from services.ingest.imports.dry_run import rehearse
from services.ingest.imports.report import Report
from services.ingest.settings import IngestSettings

AGREEMENT = """\
id = "DSA"
version = 1
effective_on = 2016-12-05
expires_on = 2099-06-30
destroy_by = 2099-12-31
party = [{id = "hope", name = "Hope", role = "agency"}, {id = "dsni", name = "DSNI", role = "lead"}]
disclosure = [
  {to = "hope", purpose = "care", records = ["attendance"], schools = ["a", "b"], form = "live"},
  {to = "dsni", purpose = "study", records = ["attendance"], schools = ["b", "c"], form = "student"},
  {to = "dsni", purpose = "study", records = ["grades"], schools = ["d"], form = "student"},
]
"""
CONSENTS = """\
student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients,revoked_on
both,DSA,A. Guardian,parent,2016-09-01,paper,attendance,care,hope,
both,DSA,A. Guardian,parent,2016-09-01,paper,attendance,study,dsni,
kept,DSA,A. Guardian,parent,2016-09-01,paper,attendance,study,dsni,
other,DSA,A. Guardian,parent,2016-09-01,paper,attendance,study,hope,
withdrawn,DSA,,,,,,,,2016-10-01
withdrawn,DSA,A. Guardian,parent,2016-09-01,paper,attendance,care,hope,
old,OTHER,A. Guardian,parent,2016-09-01,paper,attendance,care,hope,
"""


def rehearsed(folder: Path, attendance: str) -> Report:
    for name, text in (
        ("agreement.toml", AGREEMENT),
        ("consents.csv", CONSENTS),
        ("attendance.csv", "student_id,school_id,date,status\n" + attendance),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    source = open_sources([folder])
    settings = IngestSettings(kafka=None, database=None)
    return rehearse(source, agreement_of(source).agreement, settings, datetime.now(UTC), lambda _: None)


def test_a_row_is_classed_over_all_forms(tmp_path: Path) -> None:
    marks = [f"{student},{school},2016-12-06,absent\n" for student in ("both", "kept", "other") for school in "abcd"]
    report = rehearsed(tmp_path, "".join([*marks, "both,b,2016-12-06,absent\n", "both,b,2016-12-04,absent\n"]))
    assert report.mark_counts() == {
        "read": 14, "accepted": 5, "duplicate": 1, "rejected": 0, "not_consented": 4, "out_of_scope": 4,
    }  # fmt: skip
    assert report.not_consented == {"recipient": 1, "purpose": 3}
    assert report.out_of_scope == {"d": 3, "b": 1}
    assert report.reference["consents"] == {"accepted": 4, "not_consented": 1, "rejected": 2}
    assert [one.line for one in report.rejections] == [7, 8]
