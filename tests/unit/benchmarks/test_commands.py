"""The benchmarks of the core as commands, on very little: the documents that they write."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import history, memory, orders, recovery, stream

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def run(command: click.Command, *arguments: str) -> str:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_orders_tells_how_many_times_the_cpu_of_the_good_order_each_takes(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    chosen = ("--orders", "calendar_last,records_shuffled")
    shown = run(orders.main, "--students", "40", "--days", "6", "--rounds", "1", *chosen, "--json", str(out))
    document = json.loads(out.read_text())
    assert list(document["orders"]) == ["calendar_last", "records_shuffled"]
    assert all(ratio > 0 for ratio in document["orders"].values())
    assert document["alerts_differ"] == []
    assert "calendar_last" in shown


def test_orders_refuses_an_order_that_there_is_not() -> None:
    done = CliRunner().invoke(orders.main, ("--students", "20", "--days", "2", "--orders", "nonsense"))
    assert done.exit_code == 2
    assert "calendar_last" in done.output


def test_memory_tells_bytes_a_student_held_and_stored_beside_plain_dicts(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run(memory.main, "--students", "100", "--days", "10", "--json", str(out))
    document = json.loads(out.read_text())
    assert (document["students"], document["days"]) == (100, 10)
    assert document["bytes_per_student"] >= 0  # so few may fit into what the process had already
    assert 0 < document["stored_bytes_per_student"] <= document["written_bytes_per_student"]


def test_recovery_reports_medians_and_the_ratio_to_its_peer() -> None:
    rounds = [
        recovery.Round(kill_to_first_close_seconds=ours, reread_changelog_seconds=peer)
        for ours, peer in ((10.0, 2.0), (30.0, 5.0), (20.0, 4.0))
    ]
    machine = orders.describe_machine()
    report = recovery.make_report(500, 60, rounds, machine, empty_folder=False)
    assert (report["students"], report["kill_to_first_close_seconds"]) == (500, 20.0)
    assert report["ratios"] == {"vs_reread_changelog": 5.0}
    assert "5.00 times" in recovery.table(report)


def test_history_reports_medians_and_what_the_audit_leaves() -> None:
    rounds = [
        {"audited": {"page": ours, "alert": 2 * ours}, "unaudited": {"page": peer, "alert": 2 * peer}}
        for ours, peer in ((60.0, 100.0), (80.0, 100.0), (75.0, 100.0))
    ]
    report = history.make_report(2_000, 32, rounds, orders.describe_machine())
    assert report["requests_per_second"]["audited"] == {"page": 75.0, "alert": 150.0}
    assert report["ratios"] == {"page": 0.75, "alert": 0.75}
    assert [line.split()[0] for line in history.table(report).splitlines()[1:]] == ["page", "alert"]


def test_stream_refuses_an_engine_that_there_is_not() -> None:
    done = CliRunner().invoke(stream.main, ("--engines", "raw,firstbell_rules"))
    assert done.exit_code == 2
    assert "firstbell_rules is none of firstbell, firstbell_model, kafka_streams" in " ".join(done.output.split())
