"""The master key: what wraps the feeds' keys, from a file or a setting, and what is said when it is not at hand."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.contracts.sealed import KEY_BYTES
from services.platform.keys.master import MasterKeyLostError, MasterKeys, new_master_line
from services.platform.settings import Settings, SettingsError

KEY = secrets.token_bytes(KEY_BYTES)


def settings(folder: Path, *lines: bytes) -> Settings:
    given = Settings(data_dir=folder, _env_file=None)
    given.master_file.parent.mkdir(exist_ok=True)
    given.master_file.write_bytes(b"".join(lines))
    given.master_file.chmod(0o600)
    return given


def test_a_wrapped_key_opens_with_the_file_that_wrapped_it(tmp_path: Path) -> None:
    given = settings(tmp_path, new_master_line())
    wrapped = MasterKeys.of(given).wrap("student", KEY)
    assert MasterKeys.of(given).unwrap("student", wrapped) == KEY


def test_a_wrapped_key_is_of_its_student_alone(tmp_path: Path) -> None:
    masters = MasterKeys.of(settings(tmp_path, new_master_line()))
    with pytest.raises(MasterKeyLostError):
        masters.unwrap("another", masters.wrap("student", KEY))


def test_while_it_is_rotated_the_newer_one_wraps_and_both_unwrap(tmp_path: Path) -> None:
    old, new = new_master_line(), new_master_line()
    before = MasterKeys.of(settings(tmp_path, old)).wrap("student", KEY)
    masters = MasterKeys.of(settings(tmp_path, new, old))
    assert masters.unwrap("student", before) == KEY
    assert masters.wrap("student", KEY).master != before.master


def test_a_process_that_meets_a_newer_one_reads_the_file_anew(tmp_path: Path) -> None:
    old, new = new_master_line(), new_master_line()
    masters = MasterKeys.of(settings(tmp_path, old))
    masters.wrap("student", KEY)
    newer = MasterKeys.of(settings(tmp_path, new, old)).wrap("student", KEY)
    assert masters.unwrap("student", newer) == KEY


def test_one_that_is_lost_is_named_and_nothing_is_opened(tmp_path: Path) -> None:
    wrapped = MasterKeys.of(settings(tmp_path, new_master_line())).wrap("student", KEY)
    with pytest.raises(MasterKeyLostError, match=f"{wrapped.master}, which is not in .*master.key"):
        MasterKeys.of(settings(tmp_path, new_master_line())).unwrap("student", wrapped)


def test_a_file_that_is_not_there_is_not_made_in_passing(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path, _env_file=None)
    with pytest.raises(MasterKeyLostError, match="is not there"):
        MasterKeys.of(given).wrap("student", KEY)
    assert not given.master_file.exists()


def test_one_that_others_may_read_is_refused(tmp_path: Path) -> None:
    given = settings(tmp_path, new_master_line())
    given.master_file.chmod(0o644)
    with pytest.raises(SettingsError, match="may be read by others"):
        MasterKeys.of(given).wrap("student", KEY)


@pytest.mark.parametrize("content", [b"", b"too-short\n", b"\xff\xfe"])
def test_a_file_that_holds_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError, match="holds no master key"):
        MasterKeys.of(settings(tmp_path, content)).wrap("student", KEY)


def test_a_setting_serves_as_well_and_may_hold_several(tmp_path: Path) -> None:
    old, new = new_master_line().decode().strip(), new_master_line().decode().strip()
    before = MasterKeys.of(Settings(data_dir=tmp_path, master_key=SecretStr(old), _env_file=None)).wrap("student", KEY)
    masters = MasterKeys.of(Settings(data_dir=tmp_path, master_key=SecretStr(f"{new},{old}"), _env_file=None))
    assert masters.unwrap("student", before) == KEY
    assert masters.names()[1] == before.master
