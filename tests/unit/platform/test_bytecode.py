from __future__ import annotations

import sys

import pytest

from services.platform.bytecode import bytecode_folder, keep_bytecode_aside


def test_bytecode_is_kept_aside_where_it_may_not_be_beside_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    keep_bytecode_aside()
    assert sys.pycache_prefix == bytecode_folder()
    assert not sys.dont_write_bytecode


@pytest.mark.parametrize(("forbidden", "prefix"), [(False, None), (True, "/elsewhere")])
def test_a_python_that_knows_where_to_write_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, forbidden: bool, prefix: str | None
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    monkeypatch.setattr(sys, "pycache_prefix", prefix)
    keep_bytecode_aside()
    assert (sys.dont_write_bytecode, sys.pycache_prefix) == (forbidden, prefix)
