"""When each student's consent was in force, as the stream would have found out day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.ingest.agreement.document import FeedId
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import ConsentPolicy, Run, standing
from services.ingest.rows.parse import ConsentRow


@dataclass(slots=True)
class _Child:
    """A student as ingest keeps one."""

    said: ConsentHistory
    run: Run | None = None
    next_change: date | None = None

    def settle(self, policy: ConsentPolicy, today: date) -> None:
        """Note what the consents come to."""
        now = standing((one.term(policy) for one in self.said.kept.values()), today)
        self.run, self.next_change = now.run, now.next_change


@dataclass(slots=True)
class Consented:
    """The consents of a history. All come on its first day, in the batches in which ingest takes them."""

    policy: ConsentPolicy
    first: date
    _children: dict[str, _Child] = field(default_factory=dict)

    def take(self, rows: Sequence[ConsentRow]) -> None:
        """Take one batch; a withdrawal is remembered also of a student of whom nothing is kept yet."""
        for row in rows:
            self._children.setdefault(row.student_id, _Child(ConsentHistory(FeedId(self.policy.recipient)))).said.take(
                row
            )
        for student_id in {row.student_id for row in rows}:
            self._children[student_id].settle(self.policy, self.first)

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
