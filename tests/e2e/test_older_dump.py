"""A dump that is older than a consent: what was sealed since is lost and handed in again, and others lose nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx

from services.ingest.rows.kinds import RECORD_TABLES
from tests.e2e.snapshots import every_alert
from tests.e2e.system import System, eventually, firstbell, running
from tests.e2e.test_erasure import dump, imported, pseudonym_of, restore
from tests.e2e.test_privacy import Person, export_of


def days_of(system: System, pseudonym: str | None) -> int:
    """How many marks of the student are in the window that casework shows; 0 without one."""
    with httpx.Client(base_url=system.where["casework"], headers=system.bearer("caseworker")) as casework:
        found = casework.get(f"/v1/students/{pseudonym}/window")
    return len(found.json()["marks"]) if found.is_success else 0


def are_there(system: System, school: str, *people: Person) -> None:
    """Everybody has a window with all days, and an alert."""
    pseudonyms = [pseudonym_of(system, person) for person in people]
    eventually(lambda: [days_of(system, one) for one in pseudonyms] == [3] * len(people), "the days of everybody")
    with httpx.Client(base_url=system.where["casework"], headers=system.bearer("caseworker")) as casework:
        told = eventually(
            lambda: {one["student"] for one in every_alert(casework, school=school)} >= set(pseudonyms), "their alerts"
        )
    assert told


def test_who_consented_after_the_dump_is_handed_in_again_and_all_others_are_as_they_were(tmp_path: Path) -> None:
    data_dir, school = tmp_path / "data", f"school-{uuid4().hex[:8]}"
    early, late = Person.new(), Person.new()
    with running(data_dir) as system:
        imported(system, export_of([(early, "project-hope")], school, tmp_path / "early"))
        are_there(system, school, early)
        before = dump(system)
        everybody = export_of([(early, "project-hope"), (late, "project-hope")], school, tmp_path / "everybody")
        imported(system, everybody)
        are_there(system, school, early, late)
        eventually(system.level, "every group is level")

    asyncio.run(restore(data_dir, before))
    with running(data_dir, agreement=False) as restored:
        are_there(restored, school, early)
        assert pseudonym_of(restored, late) is None
        imported(restored, everybody)
        are_there(restored, school, early, late)
    with running(data_dir, agreement=False) as again:
        are_there(again, school, early, late)


EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "district"


def kept_of(system: System, student: str) -> dict[str, int]:
    """How many rows of records beside attendance stand of a student, by file."""
    query = """
        SELECT count(*) FROM district.{} r JOIN ingest.students s ON s.id = r.student
        WHERE s.student_id = %s AND until = 'infinity'
    """
    return {name: system.rows(query.format(name), student)[0][0] for name in RECORD_TABLES}


def test_what_was_withdrawn_after_the_dump_is_gone_again_of_every_kind_of_records(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir, agreement=False) as system:
        firstbell("agreement", "apply", EXAMPLE / "agreement.toml", "--data-dir", data_dir)
        imported(system, EXAMPLE)
        leaves, stays = kept_of(system, "S-1001"), kept_of(system, "S-1002")
        assert sum(leaves.values()) > 10
        before = dump(system)
        firstbell("withdraw", "S-1001", "--data-dir", data_dir)
        assert set(kept_of(system, "S-1001").values()) == {0}

    asyncio.run(restore(data_dir, before))
    with running(data_dir, agreement=False) as restored:
        eventually(lambda: set(kept_of(restored, "S-1001").values()) == {0}, "the ledger's erasures")
        assert kept_of(restored, "S-1002") == stays
        kinds = imported(restored, EXAMPLE)["kinds"]
        assert (kinds["grades"]["accepted"], kinds["suspensions"]["duplicate"]) == (0, 1)
        assert set(kept_of(restored, "S-1001").values()) == {0}
