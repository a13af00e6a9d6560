"""A file is there when it is whole, and for nobody else when it is private."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.platform.files import whole_file


def test_it_replaces_what_was_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def half() -> None:
        with whole_file(tmp_path / "scores.csv") as file:
            file.write(b"half")
            raise LookupError

    with pytest.raises(LookupError):
        half()
    assert not list(tmp_path.iterdir())


def test_a_private_file_is_private_though_an_earlier_run_left_an_open_half(tmp_path: Path) -> None:
    left = tmp_path / "scores.csv.part"
    left.write_text("half")
    left.chmod(0o644)
    with whole_file(tmp_path / "scores.csv", mode=0o600) as file:
        file.write(b"whole")
    assert (tmp_path / "scores.csv").stat().st_mode & 0o777 == 0o600
