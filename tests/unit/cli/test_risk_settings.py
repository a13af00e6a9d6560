"""What `--model` and `--capacity` become."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.common import CommandError
from services.cli.risk_settings import model_environment, require_model
from tests.unit.models.hand_made import artifact


def test_what_is_not_given_is_left_to_the_settings(tmp_path: Path) -> None:
    assert model_environment(None, None) == {}
    assert model_environment(tmp_path / "m.json", 8) == {
        "FIRSTBELL_MODEL_FILE": str(tmp_path / "m.json"),
        "FIRSTBELL_CAPACITY": "8",
    }


def test_a_relative_path_is_made_whole_for_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_environment(Path("m.json"), None)["FIRSTBELL_MODEL_FILE"] == str(tmp_path / "m.json")


def test_a_model_that_cannot_be_used_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(artifact().dump(), encoding="utf-8")
    bad.write_text("{}", encoding="utf-8")
    require_model(good, tmp_path)
    with pytest.raises(CommandError, match=r"bad\.json is not a risk model"):
        require_model(bad, tmp_path)
    monkeypatch.setenv("FIRSTBELL_MODEL_FILE", str(tmp_path / "none.json"))
    with pytest.raises(CommandError, match=r"There is no none\.json"):
        require_model(None, tmp_path)
