"""The master key: wraps, unwraps, is read anew when it is rotated, and is missed in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.contracts.sealed import KEY_BYTES
from services.platform.keys.master import (
    EARLIER_SECONDS,
    MasterKeyLostError,
    MasterKeys,
    WrappedKey,
    name_of,
    new_master_line,
)
from services.platform.processes import write_atomically
from services.platform.settings import Settings, SettingsError

KEY = bytes(range(KEY_BYTES))


def settings_in(folder: Path, *lines: bytes) -> Settings:
    settings = Settings(data_dir=folder, master_key_file=folder / "master.key")
    write_atomically(settings.master_file, b"".join(lines).decode())
    return settings


def test_what_was_wrapped_is_unwrapped_for_its_own_pseudonym_alone(tmp_path: Path) -> None:
    masters = MasterKeys.of(settings_in(tmp_path, new_master_line()))
    wrapped = masters.wrap("hers", KEY)
    assert KEY not in wrapped.wrapped
    assert masters.unwrap("hers", wrapped) == KEY
    with pytest.raises(MasterKeyLostError, match="was changed"):
        masters.unwrap("his", wrapped)


def test_a_file_that_was_replaced_is_noticed_by_the_next_wrap(tmp_path: Path) -> None:
    old, new = new_master_line(), new_master_line()
    settings = settings_in(tmp_path, old)
    masters = MasterKeys.of(settings)
    before = masters.wrap("hers", KEY)
    settings_in(tmp_path, new, old)
    after = masters.wrap("hers", KEY)
    assert [before.master, after.master] == masters.names()[::-1]
    assert masters.unwrap("hers", before) == masters.unwrap("hers", after) == KEY


def test_what_was_read_just_before_a_rotation_ended_is_still_unwrapped_and_later_nothing_is(tmp_path: Path) -> None:
    old, new = new_master_line(), new_master_line()
    settings = settings_in(tmp_path, old)
    now = 0.0
    masters = MasterKeys(settings.master_file.read_bytes, "the file", clock=lambda: now)
    before = masters.wrap("hers", KEY)
    settings_in(tmp_path, new)
    assert masters.unwrap("hers", MasterKeys.of(settings).wrap("hers", KEY)) == KEY
    assert masters.unwrap("hers", before) == KEY
    now = EARLIER_SECONDS + 1
    with pytest.raises(MasterKeyLostError, match=before.master):
        masters.unwrap("hers", before)


def test_a_lost_master_key_is_said_with_its_name_and_what_to_do(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, new_master_line())
    wrapped = MasterKeys.of(settings).wrap("hers", KEY)
    settings_in(tmp_path, new_master_line())
    with pytest.raises(MasterKeyLostError, match=f"{wrapped.master}, which is not in .*master.key. Restore"):
        MasterKeys.of(settings).unwrap("hers", wrapped)
    with pytest.raises(MasterKeyLostError, match="Restore"):
        MasterKeys.of(settings).require([wrapped.master])
    settings.master_file.unlink()
    with pytest.raises(MasterKeyLostError, match=r"master\.key is not there\. Restore it"):
        MasterKeys.of(settings).wrap("hers", KEY)


def test_a_file_that_goes_while_it_is_used_is_missed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, new_master_line())
    masters = MasterKeys.of(settings)
    masters.wrap("hers", KEY)
    settings.master_file.unlink()
    with pytest.raises(MasterKeyLostError, match="is not there"):
        masters.wrap("hers", KEY)


def test_nothing_is_required_while_nothing_is_wrapped(tmp_path: Path) -> None:
    MasterKeys.of(Settings(data_dir=tmp_path)).require([])


@pytest.mark.parametrize("content", ["", "short\n", "not base64!\n"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: str) -> None:
    settings = settings_in(tmp_path, content.encode())
    with pytest.raises(SettingsError, match="holds no master key"):
        MasterKeys.of(settings).names()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, new_master_line())
    settings.master_file.chmod(0o640)
    with pytest.raises(SettingsError, match="may be read by others"):
        MasterKeys.of(settings).names()


def test_the_setting_comes_before_the_file_and_its_first_key_wraps(tmp_path: Path) -> None:
    old, new = (new_master_line().decode().strip() for _ in range(2))
    before = MasterKeys.of(Settings(data_dir=tmp_path, master_key=SecretStr(old))).wrap("hers", KEY)
    both = MasterKeys.of(Settings(data_dir=tmp_path, master_key=SecretStr(f"{new},{old}")))
    assert both.unwrap("hers", before) == KEY
    assert both.wrap("hers", KEY).master != before.master
    assert isinstance(before, WrappedKey)


def test_a_name_gives_nothing_of_the_key_away() -> None:
    assert name_of(KEY) != name_of(KEY[::-1])
    assert KEY.hex()[:8] not in name_of(KEY)
