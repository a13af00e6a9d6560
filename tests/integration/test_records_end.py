"""How the kinds of records beside attendance end, and what a parent is told of them: with the commands as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from services.cli.agreement import agreement as agreement_command
from services.cli.destroy import destroy
from services.cli.inspections import inspections
from services.cli.proofs import proofs
from services.ingest.agreement.document import FeedId
from services.ingest.erasure.erase import apply_entry, erase
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.store import erasing, ledger, students
from services.inspection import words
from services.platform.sharing import OTHER_RECORDS
from tests.integration.test_erasure import begun, names
from tests.integration.test_inspections import DAY, District
from tests.integration.test_inspections import district as district  # noqa: PLC0414 - a fixture
from tests.integration.test_records import (
    DSNI,
    FILES,
    LAST,
    ONE_OF_EACH,
    STUDENT,
    STUDY,
    agreement,
    folder_of,
    imported,
    kept,
)
from tests.integration.test_withdraw import run

OTHER: Final = "OTHER-4711"
NONE: Final = dict.fromkeys(RECORD_TABLES, 0)
CONSENTS: Final = (
    "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients,expires_on\n"
)
LATER: Final = {"expires_on": date(2050, 6, 30), "destroy_by": date(2050, 12, 31)}
"""Of an agreement that the command puts in force, which knows the wall's clock alone."""
OF_GRADES: Final = {"grades": 0, "courses": 0}


def of_two(**more: str) -> Mapping[str, str]:
    """The files of the student, and the same of another one."""
    doubled = {}
    for name, content in FILES.items():
        head, *lines = content.splitlines(keepends=True)
        mine = [line for line in lines if STUDENT in line]
        others = [line.replace(STUDENT, OTHER).replace("Planted", "Another") for line in mine]
        doubled[name] = "".join([head, *(mine + others or lines)])
    return {**doubled, "consents": consents({STUDENT: {}, OTHER: {}}), **more}


def consents(ends: Mapping[str, Mapping[str, str]]) -> str:
    """A consent for each student and kind, each of a day of its own, with the day on which it ends, if any."""
    return CONSENTS + "".join(
        f"{student},DSA,A Guardian,parent,2016-08-0{number},paper,{kind},{STUDY},{DSNI},{of.get(kind, '')}\n"
        for student, of in ends.items()
        for number, kind in enumerate(OTHER_RECORDS, 1)
    )


async def begin(district: District, **more: str) -> Path:
    await district.taken.apply(agreement(2, "both"))
    folder = folder_of(district.folder / "export", of_two(**more))
    await imported(district.taken, folder)
    assert await kept(district.taken) == await kept(district.taken, OTHER) == ONE_OF_EACH
    return folder


async def run_withdraw(district: District, *arguments: str) -> str:
    done = await run(district.taken, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_a_parent_is_told_of_every_kind_and_nobody_how_a_feed_is_named(district: District) -> None:
    folder = await begin(district)
    (folder / "grades.csv").write_text((folder / "grades.csv").read_text().replace("b+", "F"))
    await imported(district.taken, folder)
    asked = await district.run(inspections, "correct", STUDENT, "--statement", "It was a B+.", "--json")
    assert asked.exit_code == 0, asked.output
    document, page = await district.inspect(STUDENT)
    feeds = document["ingest"]["feeds"]
    assert [(feed["kind"], feed["kept_for"]) for feed in feeds] == [(kind, STUDY) for kind in OTHER_RECORDS]
    files = {one["file"] for feed in feeds for one in feed["records"]}
    assert files == RECORD_TABLES.keys()
    assert all(len(feed["statements"]) == 1 for feed in feeds)
    (records,) = (feed["records"] for feed in feeds if feed["kind"] == "grades")
    said = [(one["says"], one["until"] is None) for one in records if one["file"] == "grades"]
    assert [(says["grade"], stands) for says, stands in said if says["course"] == "M7"] == [("B+", False), ("F", True)]
    for told in ("Math 7", "Tutoring", "MCAS Math", "Proficient", "Two or more", "still at school"):
        assert told in page
    for kind in OTHER_RECORDS:
        assert f"What is kept for {DSNI}: {words.KINDS[kind]}, for {STUDY}" in page
        assert f"{kind}:{STUDY}" not in page + json.dumps(document)
    assert "corrected or taken back" in page
    assert "It was a B+." in page
    for secret in (OTHER, "Another"):
        assert secret not in page + json.dumps(document)


async def test_a_withdrawal_of_all_is_told_by_kind_and_takes_nothing_of_others(district: District) -> None:
    await begin(district)
    told = await run_withdraw(district, STUDENT, "--no-wait")
    assert await kept(district.taken) == NONE
    assert await kept(district.taken, OTHER) == ONE_OF_EACH
    heads = [line for line in told.splitlines() if line.startswith(OTHER_RECORDS)]
    assert heads == sorted(f"{kind} for {DSNI} ({STUDY}): complete" for kind in OTHER_RECORDS)
    assert "1 district.courses, 2 district.grades" in told
    listed = await district.run(proofs)
    assert listed.exit_code == 0, listed.output
    assert all(f"{kind} for {DSNI} ({STUDY})" in listed.stdout for kind in OTHER_RECORDS)
    document = json.loads((await district.run(proofs, "--json")).stdout)
    assert len(document) == len(OTHER_RECORDS)
    assert {key for one in document for key in one} == {
        "id", "pseudonym", "by", "at", "removed", "confirmed", "state",
    }  # fmt: skip
    whole = await district.run(proofs, document[0]["id"])
    assert f" for {DSNI} ({STUDY})" in whole.stdout.splitlines()[1]


async def test_while_it_is_inspected_all_stays_and_is_hidden(district: District) -> None:
    await begin(district)
    document, _ = await district.inspect(STUDENT)
    told = await run_withdraw(district, STUDENT, "--no-wait")
    assert told.count(": held") == len(OTHER_RECORDS)
    assert await kept(district.taken) == ONE_OF_EACH
    await district.taken.apply(agreement(3, "others"))
    assert await kept(district.taken) == ONE_OF_EACH, "the rest that is inspected"
    held, page = await district.inspect(STUDENT)
    assert "Nobody is shown anything any more." in page
    assert f"The consent was withdrawn ({words.KINDS['grades']}), for the purpose {STUDY}" in page
    assert {one["file"] for feed in held["ingest"]["feeds"] for one in feed["records"]} == RECORD_TABLES.keys()
    closed = await district.run(inspections, "close", str(document["inspection"]["id"]))
    assert closed.exit_code == 0, closed.output
    assert await kept(district.taken) == NONE


async def test_what_a_new_version_does_not_share_stays_until_its_inspection_is_closed(district: District) -> None:
    await begin(district)
    document, _ = await district.inspect(STUDENT)
    await district.taken.apply(agreement(3, "others"))
    assert await kept(district.taken) == ONE_OF_EACH
    assert await kept(district.taken, OTHER) == NONE
    closed = await district.run(inspections, "close", str(document["inspection"]["id"]))
    assert closed.exit_code == 0, closed.output
    assert await kept(district.taken) == NONE


async def test_a_consent_that_expires_takes_its_kind_alone(district: District) -> None:
    end = DAY + timedelta(days=3)
    await begin(district, consents=consents({STUDENT: {"grades": end.isoformat()}, OTHER: {}}))
    await district.taken.intake.set_replay_day(end)
    await district.taken.intake.sweep()
    assert await kept(district.taken) == ONE_OF_EACH
    await district.taken.intake.set_replay_day(end + timedelta(days=1))
    await district.taken.intake.sweep()
    assert await kept(district.taken) == ONE_OF_EACH | OF_GRADES
    assert await kept(district.taken, OTHER) == ONE_OF_EACH


async def test_an_agreement_that_ends_takes_every_kind(district: District) -> None:
    await begin(district)
    await district.taken.intake.set_replay_day(LAST + timedelta(days=1))
    await district.taken.intake.sweep()
    assert await kept(district.taken) == await kept(district.taken, OTHER) == NONE


async def test_what_a_new_version_would_take_is_named_in_words(district: District) -> None:
    await begin(district)
    path = district.folder / "agreement.toml"
    path.write_text(_toml(agreement(3, "both", records=("grades", "suspensions"), **LATER)))
    refused = await district.run(agreement_command, "apply", str(path))
    assert refused.exit_code == 1
    gone = sorted({*OTHER_RECORDS} - {"grades", "suspensions"})
    assert f"not shared any more: {'; '.join(f'{kind} for {DSNI} ({STUDY})' for kind in gone)}." in refused.output
    assert await kept(district.taken) == ONE_OF_EACH
    done = await district.run(agreement_command, "apply", str(path), "--yes")
    assert done.exit_code == 0, done.output
    await district.taken.intake.sweep()
    assert await kept(district.taken) == NONE | {"grades": 2, "courses": 1, "suspensions": 1}


def _toml(given: Any) -> str:
    document = given.model_dump(mode="json", exclude_none=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in document.items() if name not in {"party", "disclosure"}]
    lines = [line if not line.split(" = ")[0].endswith(("_on", "_by")) else line.replace('"', "") for line in lines]
    for name in ("party", "disclosure"):
        for one in document[name]:
            lines += [f"[[{name}]]", *(f"{key} = {json.dumps(value)}" for key, value in one.items())]
    return "\n".join(lines)


async def test_one_student_is_destroyed_and_the_receipt_names_the_places(district: District) -> None:
    await begin(district)
    done = await district.run(destroy, "--student", STUDENT, "--yes", "--json")
    assert done.exit_code == 4, done.output
    receipt = json.loads(done.stdout)
    assert {f"district.{name}": number for name, number in ONE_OF_EACH.items()}.items() <= receipt["what"].items()
    assert (receipt["students"], len(receipt["proofs"])) == (1, len(OTHER_RECORDS))
    assert receipt["where"] == ["district", "ingest"]
    assert await kept(district.taken) == NONE
    assert await kept(district.taken, OTHER) == ONE_OF_EACH


async def test_a_restored_database_is_brought_up_to_the_ledger_kind_by_kind(district: District) -> None:
    await begin(district)
    feed = FeedId(DSNI, f"grades:{STUDY}")
    async with begun(district.taken) as connection:
        savepoint = await connection.begin_nested()
        locked = await students.lock(connection, feed, [STUDENT])
        given = {"because": "destroyed", "ended_on": DAY, "by": "destroy", "agreement": "DSA"}
        await erase(connection, names(district.taken), list(locked.values()), **given)  # type: ignore[arg-type]
        ((entry, _),) = await ledger.unpublished(connection, 10)
        await savepoint.rollback()
        (pseudonym,) = [student.pseudonym for student in locked.values()]
        assert (await erasing.kept(connection, pseudonym))["district.grades"] == 2
        await apply_entry(connection, entry)
        assert set((await erasing.kept(connection, pseudonym)).values()) == {0}
    assert await kept(district.taken) == ONE_OF_EACH | OF_GRADES
    again: Any = (await imported(district.taken, district.folder / "export")).document()["kinds"]
    assert (again["grades"]["not_consented"], again["suspensions"]["duplicate"]) == (2, 2)
    assert await kept(district.taken) == ONE_OF_EACH | OF_GRADES
    assert await kept(district.taken, OTHER) == ONE_OF_EACH


async def test_who_signs_anew_is_told_of_what_was_corrected_and_has_a_new_pseudonym(district: District) -> None:
    await begin(district)
    before = await district.taken.rows("SELECT pseudonym FROM ingest.students WHERE student_id = :id", STUDENT)
    assert await district.taken.revoke(STUDENT, DAY, DSNI, records=("grades",)) == "accepted"
    later = DAY + timedelta(days=1)
    rows = f"{CONSENTS}{STUDENT},DSA,A Guardian,parent,{later},paper,{';'.join(OTHER_RECORDS)},{STUDY},{DSNI},\n"
    (district.folder / "export" / "consents.csv").write_text(rows)
    await district.taken.intake.set_replay_day(later)
    await imported(district.taken, district.folder / "export")
    after = await district.taken.rows("SELECT pseudonym FROM ingest.students WHERE student_id = :id", STUDENT)
    assert len({*before} - {*after}) == len({*after} - {*before}) == 1
    assert await kept(district.taken) == ONE_OF_EACH
