from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.simulation import HEADERS, WorldConfig
from models.simulation import simulate as make_world
from models.simulation.worlds import WORLDS, other_worlds
from services.cli.simulate import simulate
from services.ingest.formats import Item, open_sources
from services.lab.export_set import write_export_set
from services.lab.world_file import WorldFile, to_toml


def read(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


def test_every_file_has_the_header_of_the_export_set_and_the_worlds_rows(tmp_path: Path) -> None:
    world = make_world(WorldConfig(students=40), 2)
    counts = write_export_set(world, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*HEADERS, "agreement.toml"}
    for name, rows in world.files().items():
        header, *written = read(tmp_path / name)
        assert header == HEADERS[name]
        assert written == list(rows)
        assert counts[name] == len(written)


def test_progress_adds_up_to_the_rows_written(tmp_path: Path) -> None:
    seen: dict[str, int] = {}

    def progress(name: str, rows: int) -> None:
        seen[name] = seen.get(name, 0) + rows

    counts = write_export_set(make_world(WorldConfig(students=200), 2), tmp_path, progress)
    assert seen == {name: count for name, count in counts.items() if count}


def test_the_command_writes_the_folder_and_says_so_in_json(tmp_path: Path) -> None:
    out = tmp_path / "a" / "world"
    result = CliRunner().invoke(simulate, ["--students", "30", "--seed", "5", "--out", str(out), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["rows"]["students.csv"] == 30
    assert document["rows"]["attendance.csv"] == len(read(out / "attendance.csv")) - 1


def test_the_command_writes_the_same_files_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        CliRunner().invoke(simulate, ["--students", "30", "--seed", "5", "--out", str(tmp_path / name)])
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in HEADERS)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = CliRunner().invoke(simulate, ["--students", "5", "--out", str(tmp_path / "taken" / "world")])
    assert result.exit_code == 1
    assert "Choose another folder" in result.stderr
    assert "Traceback" not in result.output


def shown(*options: str) -> WorldFile:
    result = CliRunner().invoke(simulate, [*options, "--show-config"])
    assert result.exit_code == 0
    return WorldFile.model_validate(tomllib.loads(result.stdout))


def test_the_shown_config_is_the_default_and_writes_the_same_files(tmp_path: Path) -> None:
    assert shown() == WorldFile()
    (tmp_path / "world.toml").write_text(to_toml(shown("--students", "30", "--seed", "5")))
    for name, options in (
        ("one", ["--students", "30", "--seed", "5"]),
        ("two", ["--config", f"{tmp_path}/world.toml"]),
    ):
        CliRunner().invoke(simulate, [*options, "--out", str(tmp_path / name)])
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in HEADERS)


def test_options_win_over_the_file_and_the_file_over_the_world(tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text("students = 70\nseed = 9\nhousing.shape = 2\ncalendar = {first_year = 2019, storms = 4}\n")
    config = shown("--world", "strong_signal", "--config", str(file), "--students", "60", "--year", "2020")
    assert (config.students, config.seed, config.calendar.first_year, config.calendar.storms) == (60, 9, 2020, 4)
    assert (config.housing.signal, config.housing.shape) == (1.5, 2.0)


def test_a_file_that_asks_for_many_students_gets_the_schools_for_them(tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text("students = 50000\n")
    assert shown("--config", str(file)).schools == WorldConfig.of_size(50_000).schools


def test_help_lists_every_world_with_what_differs() -> None:
    said = CliRunner().invoke(simulate, ["--help"], terminal_width=200).output
    assert all(f"  {name:15} {make.__doc__}" in said for name, make in WORLDS.items())


def test_somewhere_to_write_to_is_asked_for() -> None:
    result = CliRunner().invoke(simulate, ["--students", "5"])
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_a_file_with_a_fault_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text("housing.troubles = 0.2\n")
    result = CliRunner().invoke(simulate, ["--config", str(file), "--out", str(tmp_path / "world")])
    assert result.exit_code == 1
    assert "housing.troubles" in result.stderr
    assert not (tmp_path / "world").exists()


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.slow
def test_the_importer_rejects_no_row_of_any_world(name: str, tmp_path: Path) -> None:
    world = make_world(other_worlds(40)[name], 3)
    counts = write_export_set(world, tmp_path)
    source = open_sources([tmp_path])
    read = {
        "schools.csv": source.schools(),
        "students.csv": source.students(),
        "enrollments.csv": source.enrollments(),
        "calendar.csv": source.school_days(),
        "attendance.csv": source.attendance(),
        "consents.csv": source.consents(),
    }
    for file, found in read.items():
        kinds = Counter(type(one) for one in found)
        assert kinds == {Item: counts[file]}
