"""What the commands say of themselves, and of a system that runs or does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.main import COMMANDS, main
from tests.e2e.system import System, firstbell


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_does(command: str) -> None:
    told = CliRunner().invoke(main, [command, "--help"])

    assert told.exit_code == 0
    assert len(told.output.splitlines()) > 4


def test_the_program_lists_its_commands() -> None:
    told = firstbell("--help").stdout

    assert all(f"  {command} " in told for command in COMMANDS)


def test_a_second_system_on_the_same_folder_says_that_it_is_in_use(system: System) -> None:
    second = firstbell("up", "--data-dir", system.data_dir, expect=3)

    assert "is in use" in second.stderr
    assert "Traceback" not in second.stderr
    assert system.pids["kafka"]


def test_the_doctor_finds_a_running_system_well(system: System) -> None:
    found = json.loads(firstbell("doctor", "--json", "--data-dir", system.data_dir).stdout)

    assert found


def test_without_a_system_lag_and_doctor_say_so(tmp_path: Path) -> None:
    lag = firstbell("lag", "--json", "--data-dir", tmp_path / "none", expect=3)
    assert "firstbell up" in lag.stderr
    assert not (tmp_path / "none").exists()


def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    url = "postgresql+psycopg://someone:planted@127.0.0.1:1/none"
    told = firstbell("up", "--data-dir", tmp_path / "data", expect=1, FIRSTBELL_DATABASE=url)

    assert "firstbell doctor" in told.stderr
    assert "planted" not in told.stderr
    assert "Traceback" not in told.stderr


def test_where_it_would_be_overheard_nothing_is_started(tmp_path: Path) -> None:
    told = firstbell("up", "--data-dir", tmp_path / "data", expect=1, FIRSTBELL_HOST="0.0.0.0")

    assert "FIRSTBELL_TLS_CERT" in told.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["ingest", "casework"])
def test_a_service_alone_that_would_know_nobody_does_not_start(tmp_path: Path, command: str) -> None:
    outside = {"FIRSTBELL_DATABASE": "postgresql+psycopg://someone:planted@127.0.0.1:1/none"}
    outside |= {"FIRSTBELL_KAFKA": "127.0.0.1:1", "FIRSTBELL_DATA_DIR": str(tmp_path / "data")}
    told = firstbell(command, expect=1, **outside)

    assert "FIRSTBELL_OIDC_ISSUER" in told.stderr
    assert "planted" not in told.stderr


@pytest.mark.parametrize("command", ["up", "demo", "warning", "notify"])
def test_a_setting_that_is_not_valid_is_named_and_its_value_is_not(command: str) -> None:
    told = firstbell(command, expect=1, FIRSTBELL_PARTITIONS="planted")

    assert "FIRSTBELL_PARTITIONS" in told.stderr
    assert "planted" not in told.stderr
    assert "Traceback" not in told.stderr
