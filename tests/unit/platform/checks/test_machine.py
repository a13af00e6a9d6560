"""Modes of what must be private, and the broker's jars."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.platform.checks import machine
from services.platform.checks.machine import (
    check_data_dir,
    check_disk,
    check_issuer,
    check_jars,
    check_java,
    check_key,
)
from services.platform.checks.result import CheckResult
from services.platform.checks.target import Target, find_target
from services.platform.embedded.jars import Jar
from services.platform.settings import Settings
from services.registry import SERVICES


def target_in(folder: Path, kafka: str | None = None) -> Target:
    settings = Settings(data_dir=folder, kafka=kafka, database=None, smtp=None)
    return find_target(settings, None, SERVICES, key_file=folder / "key")


@pytest.mark.parametrize(("mode", "status"), [(0o700, "ok"), (0o750, "failed"), (0o705, "failed")])
def test_a_data_folder_that_others_may_enter_fails(tmp_path: Path, mode: int, status: str) -> None:
    tmp_path.chmod(mode)
    assert check_data_dir(target_in(tmp_path)).status == status


def test_a_file_in_place_of_the_data_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check_data_dir(target_in(tmp_path / "file")).status == "failed"


def test_a_key_that_others_may_read_fails_with_the_command_that_helps(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    assert check_key(target_in(tmp_path)).status == "ok"
    key.chmod(0o640)
    result = check_key(target_in(tmp_path))
    assert (result.status, result.hint) == ("failed", f"Run `chmod 600 {key}`.")


def test_an_outside_cluster_needs_neither_java_nor_jars(tmp_path: Path) -> None:
    target = target_in(tmp_path, kafka="outside:9092")
    assert {check_java(target).status, check_jars(target).status} == {"skipped"}


def test_a_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_disk(target_in(tmp_path / "not" / "there")).detail.endswith(str(tmp_path))
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 2**62)
    assert check_disk(target_in(tmp_path)).status == "failed"


def jar(name: str, sha256: str) -> Jar:
    return Jar(group="g", artifact=name, version="1", size=0, sha256=sha256)


def test_jars_are_compared_with_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    jars = (jar("a", empty), jar("b", empty))
    monkeypatch.setattr(machine, "locked_jars", lambda: jars)
    monkeypatch.setattr(machine, "jar_folder", lambda: tmp_path)
    assert check_jars(target_in(tmp_path)).status == "skipped"
    (tmp_path / "a-1.jar").touch()
    (tmp_path / "b-1.jar").write_text("changed on the way")
    result = check_jars(target_in(tmp_path))
    assert result.status == "failed"
    assert "1 of 2" in result.detail
    assert (tmp_path / "b-1.jar").exists()
    (tmp_path / "b-1.jar").write_text("")
    assert check_jars(target_in(tmp_path)).status == "ok"


def test_whom_the_services_believe_is_said(tmp_path: Path) -> None:
    own = Settings(data_dir=tmp_path, kafka=None, database=None)
    assert issuer_of(own).status == "ok"
    outside = own.model_copy(update={"database": SecretStr("postgresql://h/d")})
    told = issuer_of(outside)
    assert (told.status, told.detail) == (
        "failed",
        "not set: FIRSTBELL_OIDC_ISSUER, FIRSTBELL_OIDC_AUDIENCE, FIRSTBELL_OIDC_JWKS",
    )
    named = {"oidc_issuer": "https://id.example", "oidc_audience": "firstbell", "oidc_jwks": "https://id.example/keys"}
    assert issuer_of(outside.model_copy(update=named)).detail == "https://id.example"


@pytest.mark.parametrize("name", ["services.jwk", "issuer.jwk"])
def test_a_key_of_ours_that_others_may_read_is_told(tmp_path: Path, name: str) -> None:
    key = tmp_path / "secrets" / name
    key.parent.mkdir()
    key.touch(mode=0o644)
    told = issuer_of(Settings(data_dir=tmp_path, kafka=None, database=None))
    assert told.status == "failed"
    assert "chmod 600" in str(told.hint)


def issuer_of(settings: Settings) -> CheckResult:
    return check_issuer(find_target(settings, None, SERVICES, key_file=settings.data_dir))
