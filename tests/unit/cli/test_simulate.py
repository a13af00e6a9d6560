from __future__ import annotations

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from models.simulation import HEADERS, WorldConfig
from models.simulation import simulate as make_world
from services.cli.export_set import write_export_set
from services.cli.simulate import simulate


def read(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


def test_every_file_has_the_header_of_the_export_set_and_the_worlds_rows(tmp_path: Path) -> None:
    world = make_world(WorldConfig(students=40), 2)
    counts = write_export_set(world, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(HEADERS)
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
