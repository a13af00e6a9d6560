"""What the three lists of a resource say of a window of change versions; both of its ends belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.ods.store import KeyChanged, OdsState, moment_of

Answer = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Versions:
    """A window of change versions."""

    least: int
    most: int

    def __contains__(self, version: object) -> bool:
        return isinstance(version, int) and self.least <= version <= self.most


def rows(state: OdsState, resource: str, window: Versions) -> Answer:
    """Each row whose last change is in the window: one that changes again is in it no more."""
    return [
        row.body | {"id": row.id, "_etag": str(row.version), "_lastModifiedDate": moment_of(row.version)}
        for row in state.standing(resource)
        if row.version in window
    ]


def deletes(state: OdsState, resource: str, window: Versions) -> Answer:
    """What went in the window and has not come again under the same key."""
    return [
        {"id": one.id, "changeVersion": one.version, "keyValues": one.key}
        for one in state.deletes
        if one.resource == resource and one.version in window and state.find(resource, one.key) is None
    ]


def key_changes(state: OdsState, resource: str, window: Versions) -> Answer:
    """By row: its key before the first change of the window and after the last."""
    by_id: dict[str, list[KeyChanged]] = {}
    for one in state.key_changes:
        if one.resource == resource and one.version in window:
            by_id.setdefault(one.id, []).append(one)
    return [
        {
            "id": row_id,
            "changeVersion": changes[-1].version,
            "oldKeyValues": changes[0].old,
            "newKeyValues": changes[-1].new,
        }
        for row_id, changes in by_id.items()
    ]


LISTS = {"": rows, "deletes": deletes, "keyChanges": key_changes}
