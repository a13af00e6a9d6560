from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.platform.settings import Settings, SettingsError
from services.platform.teams import EMBEDDED, load_teams, parse_teams

ROOT = Path(__file__).resolve().parents[3]

DEFAULT = '[default]\nname = "Hope"\nrecipients = ["a@hope.example"]\n'
TEAM = '[[teams]]\nname = "{}"\nschools = ["{}"]\nrecipients = ["b@hope.example"]\n'


def settings(folder: Path, teams_file: Path | None = None) -> Settings:
    return Settings(data_dir=folder, teams_file=teams_file)


def test_the_example_that_is_shipped_is_valid() -> None:
    teams = parse_teams(ROOT / "examples" / "teams.toml")
    assert teams.of("project-hope", "dearborn").lowest_level == "elevated"
    elsewhere = teams.of("project-hope", "elsewhere")
    assert elsewhere is not None
    assert elsewhere.name == "Project Hope"


def test_without_a_file_everything_goes_to_the_embedded_default_team(tmp_path: Path) -> None:
    assert load_teams(settings(tmp_path)) is EMBEDDED
    for agency in ("project-hope", None):
        assert EMBEDDED.of(agency, "any") is EMBEDDED.default
    assert EMBEDDED.of("hearth", "any") is None


def test_an_agencys_people_hear_of_no_other_agencys_alerts(tmp_path: Path) -> None:
    path = tmp_path / "teams.toml"
    path.write_text(DEFAULT + TEAM.format("Ours", "s") + TEAM.format("Theirs", "s") + 'agency = "hearth"\n')
    teams = parse_teams(path)
    names = {agency: getattr(teams.of(agency, "s"), "name", None) for agency in ("project-hope", "hearth", "other")}
    assert names == {"project-hope": "Ours", "hearth": "Theirs", "other": None}
    assert teams.of("hearth", "elsewhere") is None


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


def test_who_is_away_and_who_receives_what(tmp_path: Path) -> None:
    path = tmp_path / "teams.toml"
    people = '[[people]]\nsubject = "ann"\naway = ["2016-12-20..2017-01-02"]\n'
    path.write_text(DEFAULT + people + '[referrals]\nresources = "bob"\n')
    teams = parse_teams(path)
    days = [date(2016, 12, 19), date(2016, 12, 20), date(2017, 1, 2), date(2017, 1, 3)]
    assert [teams.is_away("ann", day) for day in days] == [False, True, True, False]
    assert not teams.is_away("bob", days[1])
    assert teams.referrals == {"resources": "bob"}


@pytest.mark.parametrize(
    "wrong",
    [
        '[[people]]\nsubject = "ann"\naway = ["2017-01-02..2016-12-20"]\n',
        '[[people]]\nsubject = "ann"\naway = ["soon"]\n',
        '[[people]]\nsubject = "ann"\n[[people]]\nsubject = "ann"\n',
        '[referrals]\nsomewhere = "bob"\n',
    ],
)
def test_people_and_referrals_that_cannot_be_are_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "teams.toml"
    path.write_text(DEFAULT + wrong)
    with pytest.raises(SettingsError, match=r"people|referrals|the file"):
        parse_teams(path)
