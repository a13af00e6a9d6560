"""Groups of a backtest are of those whose consent covers demographics, whoever gets them."""

from __future__ import annotations

from datetime import date

from services.ingest.agreement.document import Agreement, assumed
from services.ingest.rows.parse import ConsentRow
from services.lab.year.described import described

DAY = date(2017, 1, 9)


def agreement(*records: str, form: str = "aggregate") -> Agreement:
    return Agreement.model_validate(
        {
            "id": "DSA",
            "version": 1,
            "effective_on": date(2016, 9, 1),
            "expires_on": date(2018, 6, 30),
            "destroy_by": date(2018, 12, 31),
            "party": [{"id": "dsni", "name": "dsni", "role": "lead"}],
            "disclosure": [{"to": "dsni", "purpose": "study", "records": records, "schools": ["s"], "form": form}],
        }
    )


def consent(student: str, *records: str, revoked_on: date | None = None) -> ConsentRow:
    return ConsentRow(
        student_id=student,
        agreement_id="DSA",
        signed_by="A Guardian",
        relationship="parent",
        signed_on=date(2016, 9, 1),
        method="paper",
        records=records,
        purpose="study",
        recipients=("dsni",),
        expires_on=None,
        revoked_on=revoked_on,
    )


def test_only_who_consented_to_demographics_is_described() -> None:
    rows = [
        consent("s1", "attendance", "demographics"),
        consent("s2", "attendance"),
        consent("s3", "demographics", revoked_on=DAY),
    ]
    found = described(agreement("attendance", "demographics"), rows, DAY)
    assert [one for one in ("s1", "s2", "s3", "s4") if one in found] == ["s1"]


def test_an_agreement_that_shares_no_demographics_describes_nobody() -> None:
    assert "s1" not in described(agreement("attendance"), [consent("s1", "demographics")], DAY)


def test_without_an_agreement_the_files_say_whom_they_describe() -> None:
    assert "s1" in described(assumed("hope", "help"), [], DAY)
