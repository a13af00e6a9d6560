"""A worker keeps its name; no two share one."""

from __future__ import annotations

from pathlib import Path

from services.warning.membership import member_name


def test_the_name_stays_with_the_folder(tmp_path: Path) -> None:
    name = member_name(tmp_path / "warning")
    assert member_name(tmp_path / "warning") == name
    assert member_name(tmp_path / "another") != name
    assert name.isalnum()
