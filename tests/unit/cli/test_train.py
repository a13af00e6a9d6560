from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.artifact import load_artifact
from models.training.retrain import Decision
from services.cli import retrain as retrain_command
from services.cli.common import CommandError
from services.cli.learning import data_sha256, write_artifact
from services.cli.retrain import REFUSED, retrain
from services.cli.simulate import simulate
from services.cli.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("train") / "district"
    asked = ["--students", "500", "--seed", "3", "--year", "2024", "--out", str(out)]
    assert CliRunner().invoke(simulate, asked).exit_code == 0
    return out


@pytest.fixture(scope="module")
def first(district: Path) -> tuple[Result, Path]:
    out = district.parent / "model.json"
    asked = [str(district), "--out", str(out), "--capacity", "2", "--simulated", "--json", "-"]
    return CliRunner().invoke(train, asked), out


def test_train_writes_an_artifact_and_says_what_it_stands_on(first: tuple[Result, Path]) -> None:
    result, out = first
    assert result.exit_code == 0, result.stderr
    said, artifact = json.loads(result.stdout), load_artifact(out)
    assert said["capacity"] == artifact.capacity == 2
    assert said["data_sha256"] == artifact.training.data_sha256
    assert said["candidates"] == artifact.metrics
    assert said["chosen"] in artifact.metrics
    assert (said["name"], artifact.name) == ("model", "model")
    assert artifact.training.simulated
    assert artifact.training.rows == said["rows"]
    assert not out.with_name("model.json.part").exists()


def test_retrain_records_what_was_decided_and_the_status_says_it(first: tuple[Result, Path], district: Path) -> None:
    _, current = first
    out = district.parent / "next.json"
    result = CliRunner().invoke(retrain, [str(district), "--current", str(current), "--out", str(out), "--json", "-"])
    said = json.loads(result.stdout)
    assert result.exit_code == (0 if said["accepted"] else REFUSED), result.stderr
    (change,) = load_artifact(out).changes
    assert (change.accepted, change.reason) == (said["accepted"], said["reason"])
    assert (datetime.now(UTC).date() - change.on).days <= 1
    assert said["capacity"] == 2


@pytest.mark.parametrize(("accepted", "status"), [(True, 0), (False, REFUSED)])
def test_the_exit_status_says_accepted_or_refused(
    first: tuple[Result, Path], district: Path, monkeypatch: pytest.MonkeyPatch, *, accepted: bool, status: int
) -> None:
    _, current = first
    decision = Decision(accepted, load_artifact(current), "The reason.", {})
    monkeypatch.setattr(retrain_command, "retrain_model", lambda *_, **__: decision)
    out = district.parent / f"{accepted}.json"
    result = CliRunner().invoke(retrain, [str(district), "--current", str(current), "--out", str(out)])
    assert (result.exit_code, result.stdout) == (status, "The reason.\n")
    assert load_artifact(out) == decision.artifact


@pytest.mark.parametrize(("text", "words"), [(None, "There is no"), ("{", "not a risk model")])
def test_retrain_without_a_model_in_use_says_so_and_writes_nothing(
    district: Path, tmp_path: Path, text: str | None, words: str
) -> None:
    current, out = tmp_path / "current.json", tmp_path / "out.json"
    if text is not None:
        current.write_text(text)
    result = CliRunner().invoke(retrain, [str(district), "--current", str(current), "--out", str(out)])
    assert result.exit_code == 1
    assert words in result.stderr
    assert not out.exists()


def test_without_outcomes_train_says_what_to_add(district: Path, tmp_path: Path) -> None:
    folder = tmp_path / "district"
    shutil.copytree(district, folder)
    (folder / "outcomes.csv").unlink()
    result = CliRunner().invoke(train, [str(folder), "--out", str(tmp_path / "out.json")])
    assert result.exit_code == 1
    assert "outcomes.csv" in result.stderr
    assert list(tmp_path.iterdir()) == [folder]


def digest(*folders: Path) -> str:
    return data_sha256(dict.fromkeys(folders, ()))


def test_the_data_hash_is_of_names_and_bytes_not_of_places_or_order(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), ("c", "1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "attendance.csv").write_text(text)
        (tmp_path / name / "notes.txt").write_text(name)
    a, b, c = (tmp_path / name for name in "abc")
    assert digest(a, b) == digest(b, c) != digest(a, c)
    before = digest(a)
    (a / "attendance.csv").rename(a / "consents.csv")
    assert digest(a) != before


def test_files_that_are_read_and_no_csv_are_in_the_data_hash(tmp_path: Path) -> None:
    (tmp_path / "attendance.csv.gz").write_bytes(b"1")
    assert digest(tmp_path) != data_sha256({tmp_path: ["attendance.csv.gz"]})


def test_an_artifact_appears_whole_or_not_at_all(first: tuple[Result, Path], tmp_path: Path) -> None:
    artifact = load_artifact(first[1])
    write_artifact(artifact, tmp_path / "model.json")
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    with pytest.raises(CommandError, match="Cannot write"):
        write_artifact(artifact, tmp_path / "missing" / "model.json")
