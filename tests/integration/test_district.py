"""What is shared in other forms than live: kept in the schema `district`, never sent, gone when its ground is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from services.contracts.topics import CONSENTS
from services.ingest.agreement.document import Agreement
from services.ingest.agreement.reading import load_agreement
from services.ingest.app import create_app
from services.ingest.formats import open_sources
from services.ingest.imports.importer import Importer, Snapshot
from services.ingest.imports.report import Report
from services.ingest.rows.parse import MarkRow, SchoolDayRow, StudentRow
from services.ingest.take.hand_in import HandIn
from tests.identity import Identity
from tests.integration.ingest_support import CONSENT, sent
from tests.integration.running import running
from tests.integration.taking import Taken

FIRST, DAY, LAST = date(2016, 12, 5), date(2016, 12, 6), date(2018, 6, 30)
HOPE, DSNI, CITY = "project-hope", "dsni", "city"
CARE, STUDY = "homelessness-prevention", "program-evaluation"
PILOT: Final = Path(__file__).resolve().parents[2] / "deploy" / "agreement.toml"


def disclosure(to: str, purpose: str, form: str, *schools: str) -> dict[str, Any]:
    return {"to": to, "purpose": purpose, "records": ["attendance"], "schools": schools, "form": form}


LIVE = disclosure(HOPE, CARE, "live", "hopes", "both")
ROWS = disclosure(DSNI, STUDY, "student", "both", "dsnis")


def agreement(version: int, *disclosures: Mapping[str, Any], **more: Any) -> Agreement:
    given = {
        "id": "DSA",
        "version": version,
        "effective_on": FIRST,
        "expires_on": LAST,
        "destroy_by": date(2018, 12, 31),
        "party": [{"id": one, "name": one, "role": "agency"} for one in (HOPE, DSNI, CITY)],
        "disclosure": disclosures,
    }
    return Agreement.model_validate(given | more)


class Kept(NamedTuple):
    """A mark as it may be read now."""

    recipient: str
    school_id: str
    date: date
    section: str
    status: str


SHOWN = """
    SELECT d.recipient, d.school_id, d.date, d.section, d.status
    FROM district.disclosed d JOIN ingest.students s USING (pseudonym) WHERE s.student_id = :id ORDER BY 1, 2, 3, 4
"""
STORED = """
    SELECT s.agency, d.school_id, d.date, d.section, d.status
    FROM district.attendance d JOIN ingest.students s ON s.id = d.student WHERE s.student_id = :id ORDER BY 1, 2, 3, 4
"""


async def shown(taken: Taken, student: str) -> list[Kept]:
    return [Kept(*row) for row in await taken.rows(SHOWN, student)]


async def stored(taken: Taken, student: str) -> list[Kept]:
    """Also what may not be read now."""
    return [Kept(*row) for row in await taken.rows(STORED, student)]


async def take(taken: Taken, student: str, status: str, **more: Any) -> str:
    given = {"student_id": student, "school_id": "both", "date": DAY, "status": status, **more}
    (outcome,) = await taken.intake.take_marks([MarkRow(**given)], HandIn(live=True))
    return outcome.status


async def pseudonyms(taken: Taken, student: str) -> dict[str, str]:
    """By recipient, of what flows and of what is kept."""
    return dict(await taken.rows("SELECT agency, pseudonym FROM ingest.students WHERE student_id = :id", student))


async def test_what_flows_is_sent_and_what_does_not_is_kept(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    student, of_hope = await taken.consent(HOPE)
    assert (await taken.consent(DSNI, student=student, purpose=STUDY))[1] != of_hope
    names = await pseudonyms(taken, student)
    assert await taken.pseudonyms(student) == {HOPE: of_hope} == {HOPE: names[HOPE]}
    row = StudentRow(student, "Planted", "Name", grade="7", household_id="home")
    assert (await taken.intake.take_students([row]))[0].status == "accepted"
    assert await taken.enroll(student, "dsnis", FIRST) == "accepted"
    assert await taken.enroll(student, "nobodys", FIRST) == "out_of_scope"
    days = [SchoolDayRow(school, DAY, instructional=True, reported=True) for school in ("both", "dsnis")]
    assert [one.status for one in await taken.intake.take_school_days(days)] == ["accepted", "accepted"]
    assert [one.status for one in await taken.intake.take_school_days(days)] == ["duplicate", "duplicate"]

    places = [("hopes", DAY), ("both", DAY), ("dsnis", DAY), ("nobodys", DAY), ("both", FIRST - timedelta(days=1))]
    assert await taken.marks(student, *places) == ["accepted", "accepted", "accepted", "out_of_scope", "out_of_scope"]
    assert await taken.marks(student, *places[:3]) == ["duplicate"] * 3
    assert sorted(await taken.sent_marks(names[HOPE])) == [("both", DAY), ("hopes", DAY)]
    expected = [Kept(DSNI, school, DAY, "", "absent") for school in ("both", "dsnis")]
    assert (await shown(taken, student), await stored(taken, student)) == (expected, expected)

    everything = await sent(taken.settings.require_kafka())
    assert not [one for one in everything if names[DSNI].encode() in (one.value or b"") or one.key == names[DSNI]]
    assert not [one for one in everything if b"dsnis" in (one.value or b"") or "dsnis" in (one.key or "")]
    kept = "SELECT first_name, household, grade FROM ingest.students WHERE student_id = :id AND agency = 'dsni'"
    assert [tuple(row) for row in await taken.rows(kept, student)] == [(None, None, "7")]
    spans = "SELECT DISTINCT school_id FROM ingest.enrollments e JOIN ingest.students s ON s.id = e.student "
    spans += "WHERE student_id = :id AND agency = 'dsni'"
    assert [row.school_id for row in await taken.rows(spans, student)] == ["dsnis"]


async def test_each_needs_the_consent_that_names_it(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    for recipient, purpose in ((DSNI, CARE), (HOPE, STUDY)):
        student, pseudonym = await taken.consent(recipient, purpose=purpose)
        assert pseudonym is None
        assert await taken.marks(student, ("both", DAY), ("dsnis", DAY)) == ["not_consented"] * 2
    student, _ = await taken.consent(DSNI, purpose=STUDY)
    assert await taken.marks(student, ("hopes", DAY), ("both", DAY)) == ["not_consented", "accepted"]
    assert await taken.pseudonyms(student) == {}


async def test_consents_for_two_parties_in_one_request_are_both_taken(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    rows = [
        taken.consent_row("both-at-once", HOPE, purpose=CARE),
        taken.consent_row("both-at-once", DSNI, purpose=STUDY),
    ]
    for expected in ("accepted", "duplicate"):
        assert [one.status for one in await taken.intake.take_consents(rows)] == [expected] * 2
    assert [one.status for one in await taken.intake.take_consents([rows[1], rows[1]])] == ["duplicate"] * 2


async def test_two_forms_for_one_party_and_purpose_are_kept_once(taken: Taken) -> None:
    given = (
        disclosure(HOPE, CARE, "live", "both"),
        disclosure(HOPE, CARE, "aggregate", "both", "more"),
        disclosure(HOPE, CARE, "student", "both"),
        disclosure(CITY, CARE, "aggregate", "both"),
    )
    await taken.apply(agreement(1, *given))
    student, pseudonym = await taken.consent(HOPE, CITY)
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    assert await taken.marks(student, ("both", DAY), ("more", DAY)) == ["accepted", "accepted"]
    assert await taken.sent_marks(pseudonym or "") == [("both", DAY)]
    expected = [(CITY, "both"), (HOPE, "both"), (HOPE, "more")]
    assert [(one.recipient, one.school_id) for one in await shown(taken, student)] == expected
    forms = "SELECT recipient, school_id, form FROM district.disclosed WHERE :id <> '' ORDER BY 1, 2"
    assert [row.form for row in await taken.rows(forms, student)] == ["aggregate", "student", "aggregate"]


async def test_a_correction_replaces_and_a_retraction_takes_back(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    student, _ = await taken.consent(DSNI, purpose=STUDY)

    async def statuses() -> list[tuple[str, str]]:
        return [(one.section, one.status) for one in await shown(taken, student)]

    at = {hour: datetime(2016, 12, 6, hour, tzinfo=UTC) for hour in (9, 10, 11, 12)}
    assert await take(taken, student, "absent", excused=False, recorded_at=at[10]) == "accepted"
    assert await take(taken, student, "present", recorded_at=at[9]) == "accepted"
    assert await statuses() == [("", "absent")], "what was recorded before it does not stand"
    assert await take(taken, student, "tardy", reason="transport", recorded_at=at[11]) == "accepted"
    assert await take(taken, student, "absent", section_id="math", recorded_at=at[10]) == "accepted"
    assert await statuses() == [("", "tardy"), ("math", "absent")]
    assert await take(taken, student, "retracted", recorded_at=at[12]) == "accepted"
    assert await take(taken, student, "absent", excused=True, recorded_at=at[11]) == "accepted"
    assert await statuses() == [("math", "absent")]
    assert await take(taken, student, "present") == "accepted"
    assert await statuses() == [("", "present"), ("math", "absent")]


async def test_a_withdrawal_takes_with_it_what_was_kept(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    student, _ = await taken.consent(HOPE)
    await taken.consent(DSNI, student=student, purpose=STUDY)
    await taken.marks(student, ("both", DAY))
    assert len(await stored(taken, student)) == 1
    assert await taken.revoke(student, date(2016, 12, 7)) == "accepted"
    assert await stored(taken, student) == []
    assert await taken.pseudonyms(student) == {}
    assert await taken.marks(student, ("both", DAY), ("dsnis", DAY)) == ["not_consented"] * 2


async def test_the_end_of_the_term_hides_at_once_and_then_deletes(taken: Taken) -> None:
    await taken.apply(agreement(1, ROWS))
    student, _ = await taken.consent(DSNI, purpose=STUDY)
    await taken.marks(student, ("both", DAY))
    await taken.intake.set_replay_day(LAST + timedelta(days=1))
    assert (await shown(taken, student), len(await stored(taken, student))) == ([], 1), "before any sweep"
    await taken.intake.sweep()
    assert await stored(taken, student) == []


async def test_a_consent_that_ends_hides_at_once_and_then_deletes(taken: Taken) -> None:
    await taken.apply(agreement(1, ROWS))
    student, _ = await taken.consent(DSNI, purpose=STUDY)
    await taken.marks(student, ("both", DAY))
    assert await taken.revoke(student, date(2016, 12, 9)) == "accepted"
    assert len(await shown(taken, student)) == 1
    await taken.intake.set_replay_day(date(2016, 12, 9))
    assert await shown(taken, student) == []
    await taken.intake.sweep()
    assert await stored(taken, student) == []


async def test_a_school_that_is_dropped_is_gone_and_may_be_handed_in_again(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    student, _ = await taken.consent(DSNI, purpose=STUDY)
    await taken.enroll(student, "dsnis", FIRST)
    assert await taken.marks(student, ("both", DAY), ("dsnis", DAY)) == ["accepted", "accepted"]
    await taken.intake.apply(agreement(2, LIVE, disclosure(DSNI, STUDY, "student", "both")))
    assert [one.school_id for one in await stored(taken, student)] == ["both"], "before any sweep"
    assert await taken.rows("SELECT 1 FROM ingest.taken WHERE school_id = 'dsnis' AND :id <> ''", student) == []
    assert await taken.rows("SELECT 1 FROM ingest.enrollments WHERE school_id = 'dsnis' AND :id <> ''", student) == []
    assert await taken.marks(student, ("both", DAY), ("dsnis", DAY)) == ["duplicate", "out_of_scope"]
    await taken.apply(agreement(3, LIVE, ROWS))
    assert await taken.marks(student, ("both", DAY), ("dsnis", DAY)) == ["duplicate", "accepted"]
    assert [one.school_id for one in await shown(taken, student)] == ["both", "dsnis"]


async def test_a_version_with_a_later_term_hides_the_days_before_it(taken: Taken) -> None:
    await taken.apply(agreement(1, ROWS))
    student, _ = await taken.consent(DSNI, purpose=STUDY)
    await taken.marks(student, ("both", FIRST), ("both", DAY))
    await taken.apply(agreement(2, ROWS, effective_on=DAY))
    assert [one.date for one in await shown(taken, student)] == [DAY]
    await taken.apply(agreement(3, ROWS))
    assert [one.date for one in await shown(taken, student)] == [FIRST, DAY]


async def test_a_school_that_becomes_live_flows_from_then_on(taken: Taken) -> None:
    await taken.apply(agreement(1, LIVE, disclosure(HOPE, CARE, "student", "later")))
    student, pseudonym = await taken.consent(HOPE)
    day = SchoolDayRow("later", DAY, instructional=True)
    await taken.intake.take_school_days([day])
    await taken.marks(student, ("later", DAY))
    assert not await _day_was_sent(taken, "later")
    assert (len(await shown(taken, student)), await taken.sent_marks(pseudonym or "")) == (1, [])

    await taken.apply(agreement(2, disclosure(HOPE, CARE, "live", "hopes", "both", "later")))
    assert await stored(taken, student) == []
    assert await _day_was_sent(taken, "later")
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    assert await taken.marks(student, ("later", DAY)) == ["accepted"]
    assert await taken.sent_marks(pseudonym or "") == [("later", DAY)]
    assert None not in await taken.of(CONSENTS, pseudonym or "")


async def _day_was_sent(taken: Taken, school: str) -> bool:
    return any(school in (one.key or "") for one in await sent(taken.settings.require_kafka()))


async def import_rows(taken: Taken, folder: Path, attendance: str, snapshot: Snapshot | None = None) -> Report:
    (folder / "attendance.csv").write_text(f"student_id,school_id,date,status\n{attendance}", encoding="utf-8")
    return await Importer(taken.intake, open_sources([folder]), lambda _: None).run(snapshot=snapshot)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Consents of one student for both, and of one for neither."""
    folder = tmp_path / "export"
    folder.mkdir()
    rows = [
        f"{student},DSA,A Guardian,parent,paper,2016-09-01,attendance,{purpose},{to}\n"
        for student, purpose, to in (("S1", CARE, HOPE), ("S1", STUDY, DSNI), ("S2", STUDY, HOPE))
    ]
    head = "student_id,agreement_id,signed_by,relationship,method,signed_on,records,purpose,recipients\n"
    (folder / "consents.csv").write_text(head + "".join(rows), encoding="utf-8")
    return folder


async def test_a_later_import_corrects_and_a_snapshot_takes_back(taken: Taken, folder: Path) -> None:
    await taken.apply(agreement(1, LIVE, ROWS))
    days = ["S1,both,2016-12-05,absent\n", "S1,both,2016-12-06,absent\n", "S1,dsnis,2016-12-06,absent\n"]
    others = ["S2,both,2016-12-06,absent\n", "S1,nobodys,2016-12-06,absent\n"]
    first = await import_rows(taken, folder, "".join([*days, *others]))
    assert first.mark_counts() == {
        "read": 5, "accepted": 3, "duplicate": 0, "rejected": 0, "not_consented": 1, "out_of_scope": 1,
    }  # fmt: skip
    again = await import_rows(taken, folder, "".join([*days, *others]))
    assert (again.marks["duplicate"], again.marks["accepted"]) == (3, 0)
    await import_rows(taken, folder, days[0] + days[1].replace("absent", "present") + days[2])

    def said() -> list[tuple[str, str, str]]:
        return [("both", "2016-12-05", "absent"), ("both", "2016-12-06", "present"), ("dsnis", "2016-12-06", "absent")]

    async def found() -> list[tuple[str, str, str]]:
        return [(one.school_id, one.date.isoformat(), one.status) for one in await shown(taken, "S1")]

    assert await found() == said()
    whole = await import_rows(taken, folder, days[1].replace("absent", "present") + days[2], Snapshot())
    assert whole.retracted == 0, "the snapshot begins with its first row"
    (folder / "calendar.csv").write_text("school_id,date,instructional\nboth,2016-12-05,true\n", encoding="utf-8")
    whole = await import_rows(taken, folder, days[1].replace("absent", "present") + days[2], Snapshot())
    assert whole.retracted == 1, "once, although two parties had it"
    assert await found() == said()[1:]


async def test_the_pilots_agreement_over_http(taken: Taken, identity: Identity) -> None:
    await taken.apply(load_agreement(PILOT))
    consent = {**CONSENT, "student_id": "P1", "agreement_id": "DSA-2016", "signed_on": "2016-09-01"}
    mark = {"student_id": "P1", "date": "2016-12-06", "status": "absent", "excused": False}
    async with running(create_app(taken.settings), identity.auth("district")) as client:

        async def post(path: str, *entries: Mapping[str, object]) -> list[str]:
            answer = await client.post(f"/v1/{path}", json=entries)
            assert answer.status_code == 200, answer.text
            return [one["status"] for one in answer.json()["results"]]

        assert await post("consents", {**consent, "purpose": STUDY, "recipients": [DSNI]}) == ["accepted"]
        at = [{**mark, "school_id": school} for school in ("dearborn", "burke", "nowhere")]
        assert await post("attendance", *at) == ["accepted", "accepted", "out_of_scope"]
        assert await post("attendance", *at) == ["duplicate", "duplicate", "out_of_scope"]
        other = [{**one, "student_id": "P2"} for one in at]
        assert await post("attendance", *other) == ["not_consented", "not_consented", "out_of_scope"]
    assert [one.school_id for one in await shown(taken, "P1")] == ["burke", "dearborn"]
    assert await taken.pseudonyms("P1") == {}
