"""`firstbell token` prints one token and nothing else."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.cli.token import token
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.issuing import with_issuer
from services.platform.identity.trust import make_verifier
from services.platform.settings import Settings


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(token, ["--data-dir", "data", *arguments], env=env)


def claims(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    assert (result.stderr, result.stdout.count("\n")) == ("", 1)
    said = result.stdout.strip().split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    return found


def test_it_says_what_was_asked_for_and_nothing_of_the_rest() -> None:
    said = claims(run("--role", "lead"))
    assert {"role": "lead", "sub": "lead"}.items() <= said.items()
    assert said["exp"] - said["iat"] == 3600
    assert not {"agency", "schools", "records"} & said.keys()
    options = "--role caseworker --subject p-1 --agency hope --school a --school b --record attendance --minutes 5"
    said = claims(run(*options.split()))
    assert (said["sub"], said["agency"], said["schools"], said["records"]) == (
        "p-1",
        "hope",
        ["a", "b"],
        ["attendance"],
    )
    assert said["exp"] - said["iat"] == 300


async def test_a_run_of_the_same_folder_believes_it_later(tmp_path: Path) -> None:
    told = run("--role", "steward").stdout.strip()
    folder = tmp_path / "data"
    DataDir(folder).create()
    settings = with_issuer(Settings(data_dir=folder, kafka=None, database=None, smtp=None))
    assert (await make_verifier(settings, for_people=True).verify(told)).role == "steward"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"FIRSTBELL_DATABASE": "postgresql+psycopg://someone:planted@h/d"}, "FIRSTBELL_DATABASE"),
        ({"FIRSTBELL_OIDC_ISSUER": "https://id.example"}, "https://id.example"),
    ],
)
def test_of_an_outside_database_or_issuer_it_has_none(env: dict[str, str], said: str, tmp_path: Path) -> None:
    result = run("--role", "lead", **env)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "planted" not in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "wrong", [[], ["--role", "service"], ["--role", "lead", "--minutes", "0"], ["--role", "lead", "--record", "dreams"]]
)
def test_wrong_usage_is_told(wrong: list[str]) -> None:
    assert run(*wrong).exit_code == 2
