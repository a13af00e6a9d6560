from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from models.simulation.worlds import WORLDS, other_worlds
from services.lab.world_file import WorldFile, read_changes, to_toml, with_file
from services.platform.errors import OperatorError


@pytest.mark.parametrize("name", WORLDS)
def test_a_config_written_as_toml_is_read_as_the_same(name: str) -> None:
    config = WorldFile.model_validate({**other_worlds()[name].model_dump(), "seed": 8})
    assert WorldFile.model_validate(tomllib.loads(to_toml(config))) == config


def test_a_name_with_quotes_comes_back_as_it_was() -> None:
    schools = [{"school_id": "a", "name": 'Écoles "A" \\ B', "lowest": "K", "highest": "5", "size": 1}]
    config = WorldFile().changed({"schools": schools})
    assert WorldFile.model_validate(tomllib.loads(to_toml(config))) == config


def test_a_parameter_stands_under_its_description() -> None:
    assert "# Spells a year of a student with average proneness.\nspells = 2.5\n" in to_toml(WorldFile())


def test_what_a_file_does_not_name_stays() -> None:
    config = with_file(WorldFile(), {"causes": {"flu": {"waves": 4}}, "seed": 3}, Path("world.toml"))
    assert config == WorldFile().changed({"causes": {"flu": {"waves": 4}}, "seed": 3})
    assert config.causes.flu.attack == WorldFile().causes.flu.attack
    assert (config.causes.flu.waves, config.seed) == (4, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("housing.troubles = 0.31", "housing.troubles: there is no such parameter"),
        ("housing.trouble = 1.31", "housing.trouble: should be less than or equal to 1"),
        ("housing.trouble = nan", "housing.trouble: should be a finite number"),
        ("housing = 31", "housing: must be a table"),
        ("reporting.sections = 31", "reporting.sections: should be less than or equal to 12"),
        ("people.children = [0, 0]", "people.children: at least one must be more than 0"),
        ("people.gender = [{value = 'F', share = 0}]", "people.gender: at least one share must be more than 0"),
        ("causes.late.minutes = [5, 531]", "causes.late.minutes: must be at most 390"),
        ("seed = -31", "seed: should be greater than or equal to 0"),
        ("schools = []", "schools: "),
    ],
)
def test_an_error_names_the_file_and_the_parameter_and_not_the_value(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "world.toml"
    path.write_text(text)
    with pytest.raises(OperatorError) as caught:
        with_file(WorldFile(), read_changes(path), path)
    assert f"{path} cannot be used:\n  {said}" in str(caught.value)
    assert "--show-config" in str(caught.value)
    assert "31" not in str(caught.value).replace(str(path), "")


def test_every_fault_is_named() -> None:
    with pytest.raises(OperatorError) as caught:
        with_file(WorldFile(), {"students": 0, "people": {"over_age": 2}}, Path("world.toml"))
    assert "  students: " in str(caught.value)
    assert "  people.over_age: " in str(caught.value)


@pytest.mark.parametrize(("content", "said"), [(b"seed = \nstudents = 5\n", "line 1"), (b"\xff", "UTF-8")])
def test_a_file_that_is_not_toml_is_a_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "world.toml"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match=said):
        read_changes(path)
