"""Documents are written as they come: an iterator becomes an array without being held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.cli.output import STDOUT, write_json

DOCUMENT = {"read": 3, "nested": {"of": [1, {"a": "é"}]}, "none": []}


@pytest.mark.parametrize("items", [[], [{"line": 1}], [{"line": 1}, {"line": 2}]])
def test_what_is_written_is_what_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str], items: list[object]):
    target = tmp_path / "out.json"
    write_json({**DOCUMENT, "items": iter(items), "last": "x"}, str(target))
    write_json({**DOCUMENT, "items": iter(items), "last": "x"}, STDOUT)

    text = target.read_text(encoding="utf-8")
    assert json.loads(text) == {**DOCUMENT, "items": items, "last": "x"}
    assert capsys.readouterr().out == text
