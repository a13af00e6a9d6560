"""Processes killed in the middle of an import: the result is that of an undisturbed one."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.e2e.conftest import Undisturbed
from tests.e2e.districts import with_prefix
from tests.e2e.snapshots import differences, snapshot
from tests.e2e.system import System, bytes_of_marks, eventually, in_background

LEVEL_SECONDS = 90


def test_an_import_starts_what_it_needs_and_stops_it_again(undisturbed: Undisturbed) -> None:
    report = undisturbed.report
    assert report["read"] == sum(report[name] for name in ("accepted", "duplicate", "rejected", "not_consented"))
    assert report["accepted"] > 10_000
    assert report["not_consented"] > 1_000
    assert report["rejections"] == []
    assert not undisturbed.ran_on


def test_after_a_kill_of_up_the_next_one_ends_what_is_left_and_finds_everything(undisturbed: Undisturbed) -> None:
    names = {"kafka", "postgres", "smtp", "ingest", "warning", "casework", "notify"}
    assert len(undisturbed.orphans) >= len(names)
    assert not any(orphan.is_running() for orphan in undisturbed.orphans)
    assert {line.split()[0] for line in undisturbed.said.splitlines() if "left running" in line} == names
    assert len(undisturbed.snapshot.windows) > 50
    assert len(undisturbed.snapshot.alerts) > 10


def test_a_worker_killed_during_an_import_changes_nothing(
    system: System, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder = with_prefix(undisturbed.folder, tmp_path / "worker", "wk-")
    before, returns = bytes_of_marks(system), system.times_back("warning")
    with in_background("import", folder, "--data-dir", system.data_dir) as importing:
        eventually(lambda: bytes_of_marks(system) > before, "marks are in Kafka")
        system.kill("warning")
        assert importing.poll() is None
    eventually(lambda: system.times_back("warning") > returns, "the worker is back")
    system.kill("warning")  # once more, while it works off what it missed
    eventually(lambda: system.times_back("warning") > returns + 1, "the worker is back again")
    eventually(system.level, "every group is level", LEVEL_SECONDS)

    assert differences(snapshot(system, "wk-"), undisturbed.snapshot) == []


def test_a_broker_killed_during_an_import_loses_nothing(
    system: System, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder = with_prefix(undisturbed.folder, tmp_path / "broker", "br-")
    before, returns = bytes_of_marks(system), system.times_back("kafka")
    with in_background("import", folder, "--data-dir", system.data_dir) as importing:
        eventually(lambda: bytes_of_marks(system) > before, "marks are in Kafka")
        system.kill("kafka")
        assert importing.poll() is None
    eventually(lambda: system.times_back("kafka") > returns, "the broker is back")
    eventually(system.level, "every group is level", LEVEL_SECONDS)

    assert differences(snapshot(system, "br-"), undisturbed.snapshot) == []
    assert all(psutil.pid_exists(pid) for pid in system.pids.values())
