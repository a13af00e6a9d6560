"""What the stream's benchmark says: medians, and ours beside each peer with the rules and with the model."""

from __future__ import annotations

import pytest

from benchmarks.report import WARM, Machine, Report, make_report, table
from benchmarks.rounds import ENGINES, OURS, PEERS, Figures

MACHINE = Machine(cores=2, python="3.11", system="Linux", load=0.0)
SPEEDS = {
    "firstbell": 100.0,
    "firstbell_model": 50.0,
    "kafka_streams": 80.0,
    "quix": 40.0,
    "raw": 400.0,
    "raw_batched": 1_000.0,
    "faust_plain": 5.0,
}


def figures(speed: float) -> Figures:
    return {"marks_per_second": speed, "warm_marks_per_second": 2 * speed}


def made(*rounds: dict[str, float], failures: tuple[str, ...] = ()) -> Report:
    done = [{engine: figures(speed) for engine, speed in one.items()} for one in rounds]
    return make_report(1_000, 100, done, failures, MACHINE)


def test_firstbell_is_the_rules_alone_and_has_ratios_of_its_own() -> None:
    report = made(SPEEDS)
    assert report["marks_per_second"] == {**SPEEDS, WARM: 160.0}
    assert report["ratios"]["vs_raw"] == pytest.approx(0.25)
    assert report["ratios_model"]["vs_raw"] == pytest.approx(0.125)
    assert report["ratios"]["vs_kafka_streams"] == pytest.approx(1.25)


def test_both_have_a_ratio_for_every_peer_and_none_for_each_other() -> None:
    report = made(SPEEDS)
    assert set(report["ratios"]) == set(report["ratios_model"]) == {f"vs_{peer}" for peer in (*PEERS, WARM)}
    assert set(OURS) | set(PEERS) == set(ENGINES)


def test_figures_are_medians_over_the_rounds_that_have_the_engine() -> None:
    report = made({"raw": 1.0}, {"raw": 9.0, "quix": 3.0}, {"raw": 2.0})
    assert report["marks_per_second"]["raw"] == 2.0
    assert report["marks_per_second"]["quix"] == 3.0


def test_an_engine_that_was_not_measured_is_null_and_so_is_what_needs_it() -> None:
    report = made({name: speed for name, speed in SPEEDS.items() if name not in ("firstbell_model", "quix")})
    assert report["marks_per_second"]["quix"] is None
    assert report["ratios"]["vs_quix"] is None
    assert set(report["ratios_model"].values()) == {None}


def test_the_table_has_a_line_for_each_engine_and_names_what_failed() -> None:
    lines = table(made(SPEEDS, failures=("round 1, quix: no uv",))).splitlines()
    assert [line.split()[0] for line in lines[1 : len(ENGINES) + 1]] == list(ENGINES)
    assert lines[-1] == "Not measured: round 1, quix: no uv"
    raw = next(line for line in lines if line.startswith("raw "))
    assert raw.split() == ["raw", "400", "0.25", "times", "≥0.25", "0.12", "times", "≥0.18"]
