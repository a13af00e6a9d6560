"""What a reader must do to end equal to the ODS, tried with one of a few lines: and that the ODS shows who does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest

from tests.ods.answers import LISTS, Versions
from tests.ods.district import fill
from tests.ods.keys import key_values
from tests.ods.office import EVENTS, Office
from tests.ods.store import OdsState

PAGE = 3
STUDENTS = 8
Pages = Callable[[int], Iterable[int]]


def backward(total: int) -> Iterable[int]:
    return range((total - 1) // PAGE * PAGE, -1, -PAGE) if total else ()


def forward(total: int) -> Iterable[int]:
    return range(0, total, PAGE)


class Mirror:
    """Reads rounds of windows, with the office at work after each page."""

    def __init__(self, seed: int, offsets: Pages) -> None:
        self.state = OdsState()
        fill(self.state, STUDENTS)
        self.office = Office(seed, STUDENTS, date(2021, 8, 23), most=400)
        self.offsets = offsets
        self.rows: dict[str, dict[str, Any]] = {name: {} for name in self.state.rows}
        self.done = 0

    def round(self) -> None:
        window = Versions(self.done + 1, self.state.version)
        for resource, kept in self.rows.items():
            for one in self._read(resource, "keyChanges", window):
                kept.pop(_name(one["oldKeyValues"]), None)
            for one in self._read(resource, "", window):
                body = {name: value for name, value in one.items() if name not in {"id", "_etag", "_lastModifiedDate"}}
                kept[_name(key_values(resource, body))] = body
            for one in self._read(resource, "deletes", window):
                kept.pop(_name(one["keyValues"]), None)
        self.done = window.most

    def equal(self) -> bool:
        return self.rows == {
            name: {_name(key_values(name, row.body)): row.body for row in rows.values()}
            for name, rows in self.state.rows.items()
        }

    def _read(self, resource: str, which: str, window: Versions) -> Iterable[dict[str, Any]]:
        for offset in self.offsets(len(LISTS[which](self.state, resource, window))):
            yield from LISTS[which](self.state, resource, window)[offset : offset + PAGE]
            self.office(self.state)


def _name(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


def ended(seed: int, offsets: Pages) -> Mirror:
    mirror = Mirror(seed, offsets)
    while mirror.done < mirror.state.version:
        mirror.round()
    return mirror


@pytest.mark.parametrize("seed", range(6))
def test_pages_read_backward_end_equal_whatever_the_office_does(seed: int) -> None:
    mirror = ended(seed, backward)
    assert mirror.state.key_changes
    assert any(one.resource == EVENTS for one in mirror.state.deletes)
    assert mirror.equal()


def test_pages_read_forward_end_otherwise() -> None:
    assert not all(ended(seed, forward).equal() for seed in range(6))
