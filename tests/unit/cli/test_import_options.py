"""The options of `firstbell import` that are read in a way of their own."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from services.cli.import_ import import_


@pytest.mark.parametrize(
    ("arguments", "snapshot", "paths"),
    [
        (["--snapshot", "folder"], "imports", ["folder"]),
        (["folder", "--snapshot"], "imports", ["folder"]),
        (["--snapshot=all", "folder"], "all", ["folder"]),
        (["--snapshot", "all", "folder"], "imports", ["all", "folder"]),
        (["folder"], None, ["folder"]),
        (["--", "--snapshot"], None, ["--snapshot"]),
    ],
)
def test_snapshot_takes_a_value_by_an_equals_sign_alone(
    arguments: list[str], snapshot: str | None, paths: list[str]
) -> None:
    context = import_.make_context("import", arguments)
    assert context.params["snapshot"] == snapshot
    assert context.params["paths"] == tuple(Path(path) for path in paths)


def test_a_kind_of_snapshot_that_is_not_known_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="imports"):
        import_.make_context("import", ["--snapshot=some", "folder"])
