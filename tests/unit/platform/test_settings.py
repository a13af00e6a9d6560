"""Settings from a file that a person edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.platform.settings import Settings


def test_a_file_that_begins_with_a_byte_order_mark_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FIRSTBELL_KAFKA=broker:9092\n", encoding="utf-8-sig")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FIRSTBELL_KAFKA", raising=False)
    assert Settings().kafka == "broker:9092"
