"""What became of an import, counted in attendance rows or events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.ingest.formats import Rejection
from services.ingest.outcomes import Outcome, Status
from services.ingest.reporting import Enrolled, Reporting
from services.ingest.rows import MarkRow


@dataclass(slots=True)
class Report:
    """Counts, rejections with their place, and warnings. Nothing in it is an id or a name."""

    marks: Counter[Status] = field(default_factory=Counter)
    reference: dict[str, Counter[Status]] = field(default_factory=dict)
    """Rows of the other files, by what they hold."""
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    not_instructional: Counter[str] = field(default_factory=Counter)
    outside_enrollment: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """Attendance rows or events read: the sum of what became of them."""
        return self.marks.total()

    def count(self, kind: str, outcomes: Iterable[Outcome]) -> None:
        """Count rows of another file."""
        self.reference.setdefault(kind, Counter()).update(outcome.status for outcome in outcomes)

    def note_idle(self, row: MarkRow, enrolled: Iterable[Enrolled], reporting: Reporting) -> None:
        """Note a mark that counts in no window, and why."""
        if not any(span.holds(row.school_id, row.date) for span in enrolled):
            self.outside_enrollment[row.school_id] += 1
        elif not reporting.school(row.school_id).is_instructional(row.date):
            self.not_instructional[row.school_id] += 1

    def document(self) -> dict[str, object]:
        """The report as `--json` gives it."""
        return {
            **self.mark_counts(),
            "rejections": [
                {"file": r.file, "line": r.line, "field": r.field, "reason": r.reason} for r in self.rejections
            ],
            "warnings": self.all_warnings(),
            "reference": {kind: dict(counts) for kind, counts in self.reference.items()},
        }

    def mark_counts(self) -> dict[str, int]:
        """Read, and what became of the rows."""
        kinds: tuple[Status, ...] = ("accepted", "duplicate", "rejected", "not_consented")
        return {"read": self.read, **{kind: self.marks[kind] for kind in kinds}}

    def all_warnings(self) -> list[str]:
        """The readers' warnings, and for each school the marks that count in no window."""
        return [
            *self.warnings,
            *(
                f"School {school}: {n} marks lie on days that are not instructional; they count in no window."
                for school, n in sorted(self.not_instructional.items())
            ),
            *(
                f"School {school}: {n} marks lie outside every enrollment of their student; they count nowhere."
                for school, n in sorted(self.outside_enrollment.items())
            ),
        ]
