from __future__ import annotations

from pathlib import Path

import pytest

from services.notify.settings import NotifySettings
from services.notify.teams import EMBEDDED, load_teams, parse_teams
from services.platform.settings import SettingsError

ROOT = Path(__file__).resolve().parents[3]

DEFAULT = '[default]\nname = "Hope"\nrecipients = ["a@hope.example"]\n'
TEAM = '[[teams]]\nname = "{}"\nschools = ["{}"]\nrecipients = ["b@hope.example"]\n'


def settings(folder: Path, teams_file: Path | None = None) -> NotifySettings:
    return NotifySettings(data_dir=folder, teams_file=teams_file)


def test_the_example_that_is_shipped_is_valid() -> None:
    teams = parse_teams(ROOT / "examples" / "teams.toml")
    assert teams.of_school("dearborn").lowest_level == "elevated"
    assert teams.of_school("elsewhere").name == "Project Hope"


def test_without_a_file_everything_goes_to_the_embedded_default_team(tmp_path: Path) -> None:
    assert load_teams(settings(tmp_path)) is EMBEDDED
    assert EMBEDDED.of_school("any").recipients == ["caseworker@project-hope.example"]


def test_the_file_in_the_data_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text(DEFAULT)
    assert load_teams(settings(tmp_path)).default.name == "Hope"


def test_a_file_that_was_named_and_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no file"):
        load_teams(settings(tmp_path, tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[default", "is not TOML"),
        ("", "default: Field required"),
        (DEFAULT.replace("a@hope.example", "a@hope.example\\nBcc: x@y.example"), "default.recipients.0"),
        (DEFAULT + 'lowest_level = "high"\n', "default.lowest_level"),
        (DEFAULT + 'lowest = "watch"\n', "default.lowest"),
        (DEFAULT + TEAM.format("A", "s") + TEAM.format("B", "s"), "a school is in two teams"),
        (DEFAULT + TEAM.format("Hope", "s"), "two teams have the same name"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "teams.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words):
        parse_teams(path)
