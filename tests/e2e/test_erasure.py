"""A withdrawal, as a data steward sees it: at once, everywhere, with a proof; and nothing brings the child back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import psycopg
from sqlalchemy import make_url

from services.platform.embedded.postgres_binaries import find_programs
from services.platform.embedded.stack import running_database
from services.platform.settings import Settings
from services.registry import SERVICES
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, System, eventually, firstbell, running
from tests.e2e.test_privacy import Person, database_text, export_of, files_below, files_with

PROOF_SECONDS = 60


class Steward:
    """The commands of a data steward on a running system."""

    def __init__(self, system: System) -> None:
        self.system = system

    def says(self, *arguments: str | Path, expect: int = 0) -> Json:
        """What a command answers with `--json`."""
        told = firstbell(*arguments, "--json", "--data-dir", self.system.data_dir, expect=expect).stdout
        found: Json = json.loads(told)
        return found

    def verify(self, pseudonym: str) -> tuple[int, int]:
        """How many records of the student there are in Kafka and the stores, and how many can be read."""
        found = self.says("erasure", "verify", pseudonym)
        assert sum(found["by_topic"].values()) == found["records"]
        return found["records"], found["readable"]

    def complete(self, pseudonym: str) -> Json:
        """The proof of the student's erasure, once every service has confirmed."""

        def look() -> Json | None:
            proofs: list[Json] = self.says("proofs")  # type: ignore[assignment]
            found = [proof for proof in proofs if proof["pseudonym"] == pseudonym]
            return found[0] if found and found[0]["state"] == "complete" else None

        return eventually(look, "a complete proof", PROOF_SECONDS) or {}


def written(values: Iterable[str]) -> list[str]:
    """The values, and every common way to write them or a hash of them."""
    found = []
    for value in values:
        raw = value.encode()
        found += [value, raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode().rstrip("=")]
        for name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(name, raw)
            found += [digest.hexdigest(), base64.b64encode(digest.digest()).decode().rstrip("=")]
    return found


def dump(system: System) -> str:
    """A dump of the whole database, as an operator takes it."""
    return _client(system.data_dir, "pg_dump", system.where["database"])


async def restore(data_dir: Path, content: str) -> None:
    """Put the dump in the place of the database, of which nothing runs."""
    async with running_database(Settings(data_dir=data_dir), SERVICES) as database:
        url = make_url(database)
        admin = url.set(database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(admin.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{url.database}"')
        _client(data_dir, "psql", database, "--quiet", "--set=ON_ERROR_STOP=1", given=content)


def _client(data_dir: Path, program: str, database: str, *arguments: str, given: str | None = None) -> str:
    url = make_url(database)
    path = find_programs(data_dir / "postgres" / "data").folder / program
    argv = [path, "--host", str(url.host), "--port", str(url.port), "--username", str(url.username)]
    env = {**os.environ, "PGPASSWORD": str(url.password)}
    done = subprocess.run(
        [*argv, *arguments, str(url.database)], env=env, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pseudonym_of(system: System, person: Person) -> str | None:
    """Under which pseudonym the person's attendance flows now."""
    query = "SELECT pseudonym FROM ingest.students WHERE student_id = %s AND kept_for = ''"
    rows = system.rows(query, person.student_id)
    return rows[0][0] if rows else None


def imported(system: System, folder: Path) -> Json:
    """What an import of the folder reports."""
    told: Json = json.loads(firstbell("import", folder, "--json", "-", "--data-dir", system.data_dir).stdout)
    return told


class Case(NamedTuple):
    """Who is in the story, and what is known of them."""

    stays: Person
    leaves: Person
    unshared: Person
    folder: Path
    kept: str
    """The pseudonym of who stays."""
    gone: str
    """The pseudonym of who leaves."""

    def holds(self, system: System, others: int) -> None:
        """Nothing of who left can be read or is kept, and all of who stays can."""
        steward = Steward(system)
        records, readable = steward.verify(self.gone)
        assert (records > 0, readable) == (True, 0)
        records, readable = steward.verify(self.kept)
        assert others <= records == readable
        assert [value for value in self.leaves if value in database_text(system)] == []


def test_what_a_withdrawal_leaves_is_noise_and_nothing_brings_the_child_back(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as system:
        case, before, others = _withdrawn(system, tmp_path / "export")

    asyncio.run(restore(data_dir, before))
    with running(data_dir, agreement=False) as restored:
        Steward(restored).complete(case.gone)
        assert pseudonym_of(restored, case.leaves) is None
        case.holds(restored, others)
        Steward(restored).says("erasure", "rotate")
        case.holds(restored, others)


def _withdrawn(system: System, folder: Path) -> tuple[Case, str, int]:
    """Withdraw one of two, and look everywhere; the dump from before, and how many records there are of the other."""
    steward = Steward(system)
    case, his = _begin(system, folder)
    eventually(system.level, "every group is level")
    before = dump(system)
    records, readable = steward.verify(case.gone)
    assert records == readable > 4
    others, _ = steward.verify(case.kept)

    steward.says("withdraw", case.leaves.student_id)
    proof = steward.complete(case.gone)
    assert set(proof["confirmed"]) == {"ingest", "warning", "casework", "notify"}
    assert proof["removed"]["ingest.students"] == proof["removed"]["erasure.keys"] == 1
    case.holds(system, others)
    _nothing_is_shown(system, case, his)
    _nothing_is_found(system, case)
    report = imported(system, case.folder)  # tomorrow's export
    assert pseudonym_of(system, case.leaves) is None
    assert any("withdrawn" in one["reason"] for one in report["rejections"])
    case.holds(system, others)
    return case, before, others


def _begin(system: System, folder: Path) -> tuple[Case, Json]:
    """Import three families, of whom two share with the agency, and wait for their alerts; the one of who leaves."""
    stays, leaves, unshared, school = Person.new(), Person.new(), Person.new(), f"school-{uuid4().hex[:8]}"
    people = [(stays, "project-hope"), (leaves, "project-hope"), (unshared, "dsni")]
    imported(system, export_of(people, school, folder))
    with httpx.Client(base_url=system.where["casework"], headers=system.bearer("caseworker")) as casework:
        alerts = eventually(lambda: _of_two(every_alert(casework, school=school)), "the alerts of both")
    kept, gone = pseudonym_of(system, stays), pseudonym_of(system, leaves)
    assert kept is not None
    assert gone is not None
    case = Case(stays, leaves, unshared, folder, kept, gone)
    return case, next(alert for alert in alerts if alert["student"] == gone)


def _of_two(alerts: list[Json]) -> list[Json]:
    return alerts if len({alert["student"] for alert in alerts}) == 2 else []


def _nothing_is_shown(system: System, case: Case, alert: Json) -> None:
    with httpx.Client(base_url=system.where["casework"], headers=system.bearer("caseworker")) as casework:
        for path in (f"/v1/students/{case.gone}/window", f"/v1/alerts/{alert['id']}"):
            assert casework.get(path).status_code == 404, path
        assert {one["student"] for one in every_alert(casework, school=alert["school_id"])} == {case.kept}


def _nothing_is_found(system: System, case: Case) -> None:
    """In no way of writing: files of Kafka, stores, logs, mails; metrics; a dump."""
    secrets = written([*case.stays, *case.leaves, *case.unshared])
    files = [path for path in files_below(system.data_dir) if system.data_dir / "postgres" not in path.parents]
    assert files_with([case.kept], files), "the search finds what is there"
    assert files_with(secrets, files) == []
    told = "".join(httpx.get(f"{one['url']}/metrics").text for one in system.where["services"].values() if one["url"])
    assert [value for value in secrets if value in told] == []
    kept = dump(system)
    assert [value for value in written([*case.leaves, *case.unshared]) if value in kept] == []
