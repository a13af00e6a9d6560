"""When each student's consent was in force, as the stream would have found out day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.ingest.consent.in_force import ConsentPolicy, Run, standing
from services.ingest.consent.stored import ConsentKey, StoredConsent, merged, stored
from services.ingest.rows.parse import ConsentRow


@dataclass(slots=True)
class _Child:
    """A student as ingest keeps one."""

    kept: dict[ConsentKey, StoredConsent]
    run: Run | None = None
    next_change: date | None = None
    ended_on: date | None = None

    def settle(self, policy: ConsentPolicy, today: date) -> None:
        """As `take.settle` does: a run that ended leaves a tombstone, and no later one starts before it."""
        held = [one.term(policy) for one in self.kept.values()]
        now = standing(held, today, self.ended_on)
        if self.run is not None and (now.run is None or not self.run.holds(today)):
            self.ended_on = today
            now = standing(held, today, today)
        self.run, self.next_change = now.run, now.next_change


@dataclass(slots=True)
class Consented:
    """The consents of a history. All come on its first day, in the batches in which ingest takes them."""

    policy: ConsentPolicy
    first: date
    _children: dict[str, _Child] = field(default_factory=dict)
    _places: int = 0

    def take(self, rows: Sequence[ConsentRow]) -> None:
        """Take one batch; nothing is kept of a student who is not known yet and has no consent in force or to come."""
        touched: dict[str, _Child] = {}
        for row in rows:
            child = touched.setdefault(row.student_id, self._children.get(row.student_id) or _Child({}))
            given = stored(row, self._places)
            self._places += 1
            known = child.kept.get(given.key)
            child.kept[given.key] = given if known is None else merged(known, given)
        for student_id, child in touched.items():
            child.settle(self.policy, self.first)
            if student_id in self._children or child.run or child.next_change:
                self._children[student_id] = child

    def runs(self, last: date) -> dict[str, list[Run]]:
        """Each student's runs in force on a day from the first through the last; those without any are left out."""
        runs = {student_id: list(self._of(child, last)) for student_id, child in self._children.items()}
        return {student_id: mine for student_id, mine in runs.items() if mine}

    def _of(self, child: _Child, last: date) -> Iterable[Run]:
        if child.run:
            yield child.run
        while child.next_change is not None and child.next_change <= last:
            child.settle(self.policy, child.next_change)
            if child.run:
                yield child.run
