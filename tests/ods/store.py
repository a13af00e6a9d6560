"""What an ODS holds, with a change version for each change."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from tests.ods.keys import Body, KeyValues, key_values, renamed

_SPACE = UUID("6d1f0c55-6f5b-4c1f-9a40-3c1b1c4f7a10")
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OdsRow:
    """A row as it stands."""

    id: str
    body: Body
    version: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """A row that is gone."""

    resource: str
    id: str
    key: KeyValues
    version: int


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """A row whose key is another than before."""

    resource: str
    id: str
    old: KeyValues
    new: KeyValues
    version: int


@dataclass(slots=True)
class OdsState:
    """All of it at one moment; a copy is a snapshot.

    Rows keep the place at which they came, as an ODS orders them by a number that it gives them; a change moves none.
    """

    version: int = 0
    made: int = 0
    rows: dict[str, dict[str, OdsRow]] = field(default_factory=dict)
    deletes: list[Deleted] = field(default_factory=list)
    key_changes: list[KeyChanged] = field(default_factory=list)

    def copy(self) -> OdsState:
        """One that does not change with this; bodies are never changed in place."""
        return replace(
            self,
            rows={name: dict(rows) for name, rows in self.rows.items()},
            deletes=list(self.deletes),
            key_changes=list(self.key_changes),
        )

    def put(self, resource: str, body: Body) -> OdsRow:
        """As a POST does: the row of that key becomes this, or a new one comes last."""
        rows = self.rows.setdefault(resource, {})
        found = self.find(resource, key_values(resource, body))
        if found is not None and found.body == body:
            return found
        row = OdsRow(self._new_id() if found is None else found.id, deepcopy(body), self._next())
        rows[row.id] = row
        return row

    def delete(self, resource: str, **key: object) -> int:
        """Delete the rows whose key has these parts; returns how many went."""
        gone = [row for row in self.standing(resource) if key.items() <= key_values(resource, row.body).items()]
        for row in gone:
            del self.rows[resource][row.id]
            self.deletes.append(Deleted(resource, row.id, key_values(resource, row.body), self._next()))
        return len(gone)

    def rename(self, name: str, old: object, new: object) -> None:
        """Change a key's part, such as `studentUniqueId`, in its row and in all that refer to it."""
        for resource, rows in self.rows.items():
            for row in list(rows.values()):
                self._put_renamed(resource, row, renamed(row.body, name, old, new))

    def rekey(self, resource: str, row: OdsRow, body: Body) -> None:
        """As a PUT does of a row whose key may change: it keeps its id and its place."""
        self._put_renamed(resource, row, body)

    def standing(self, resource: str) -> list[OdsRow]:
        """The rows of a resource in their order."""
        return list(self.rows.get(resource, {}).values())

    def find(self, resource: str, key: KeyValues) -> OdsRow | None:
        """The row of a key."""
        return next((row for row in self.standing(resource) if key_values(resource, row.body) == key), None)

    def _put_renamed(self, resource: str, row: OdsRow, body: Body) -> None:
        if body == row.body:
            return
        version = self._next()
        old, new = key_values(resource, row.body), key_values(resource, body)
        self.rows[resource][row.id] = OdsRow(row.id, deepcopy(body), version)
        if old != new:
            self.key_changes.append(KeyChanged(resource, row.id, old, new, version))

    def _next(self) -> int:
        self.version += 1
        return self.version

    def _new_id(self) -> str:
        self.made += 1
        return uuid5(_SPACE, str(self.made)).hex


def moment_of(version: int) -> str:
    """When a version came: a minute after the one before it."""
    return (_BEGIN + timedelta(minutes=version)).strftime("%Y-%m-%dT%H:%M:%SZ")
