"""What became of an import: attendance rows or events, and the rows of the other files by what they hold."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from services.ingest.formats import Item, NotRead, Rejection, Source
from services.ingest.imports.hints import not_consented, out_of_scope
from services.ingest.reporting.schools import Enrolled, Reporting
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.outcomes import Outcome, Status, WhyNot
from services.ingest.rows.parse import MarkRow
from services.ingest.rows.records import Record
from services.ingest.rows.spoilt import SpoiltIds
from services.ingest.take.snapshot import TakenBack
from services.platform.sharing import ATTENDANCE

_PLACES: Final = 5


_FILES: Final = {"school_days": "calendar"}
"""Files of another name than what is counted of them."""
_STATUSES: Final[tuple[Status, ...]] = ("accepted", "duplicate", "rejected", "not_consented", "out_of_scope")


class Wrong(NamedTuple):
    """What is wrong with some rows of a file."""

    file: str
    field: str | None
    reason: str


class Rejections:
    """Rejected rows in the order in which they came; half a million take some megabytes."""

    def __init__(self) -> None:
        self._wrong: dict[Wrong, int] = {}
        self._of, self._line = array("I"), array("I")

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[Rejection]:
        wrong = list(self._wrong)
        for of, line in zip(self._of, self._line, strict=True):
            yield Rejection(wrong[of].file, line, wrong[of].field, wrong[of].reason)

    def extend(self, rejections: Iterable[Rejection]) -> None:
        """Take in more."""
        for one in rejections:
            wrong = Wrong(one.file, one.field, one.reason)
            self._of.append(self._wrong.setdefault(wrong, len(self._wrong)))
            self._line.append(one.line)

    def by_reason(self) -> Counter[str]:
        """How many were rejected for each reason."""
        counts: Counter[str] = Counter()
        for wrong, number in self._counts():
            counts[wrong.reason] += number
        return counts

    def worst(self) -> list[tuple[Wrong, int, list[int]]]:
        """What is wrong most often first: how often, and in which lines first."""
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for of, line in zip(self._of, self._line, strict=True):
            if len(lines[of]) < _PLACES:
                lines[of].append(line)
        found = ((wrong, number, lines[self._wrong[wrong]]) for wrong, number in self._counts())
        return sorted(found, key=lambda one: -one[1])

    def _counts(self) -> Iterator[tuple[Wrong, int]]:
        counts = Counter(self._of)
        return ((wrong, counts[of]) for wrong, of in self._wrong.items())


@dataclass(slots=True)
class Report:
    """Counts, rejections with their place, and warnings. Nothing in it is an id or a name."""

    marks: Counter[Status] = field(default_factory=Counter)
    reference: dict[str, Counter[Status]] = field(default_factory=dict)
    """Rows of the other files, by what they hold."""
    handed_in: list[str] = field(default_factory=list)
    """What there were files of, if perhaps without a row."""
    unusable: Counter[str] = field(default_factory=Counter)
    """Of these, rows that could not be read, by what they hold."""
    not_consented: Counter[WhyNot] = field(default_factory=Counter)
    twice_enrolled: int = 0
    """Enrollments of which there are several with the same entry date and other exit dates."""
    older: int = 0
    """Accepted rows that change nothing, as something said later stands."""
    rejections: Rejections = field(default_factory=Rejections)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What an import has to say beside its readers."""
    is_snapshot: bool = False
    """What earlier imports said and this one does not is to be taken back."""
    taken_back: TakenBack | None = None
    """Of a snapshot: what became of the marks that earlier imports said and it does not."""
    records_back: dict[str, TakenBack] = field(default_factory=dict)
    """And of rows of the tables of records."""
    records_not_consented: defaultdict[str, Counter[WhyNot]] = field(default_factory=lambda: defaultdict(Counter))
    """By table of records."""
    records_out_of_scope: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By table of records: why."""
    not_read: list[NotRead] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)
    """Schools whose calendar had to be assumed."""
    ids: SpoiltIds = field(default_factory=SpoiltIds)
    out_of_scope: Counter[str] = field(default_factory=Counter)
    """By school: rows that no disclosure covers."""
    not_instructional: Counter[str] = field(default_factory=Counter)
    outside_enrollment: Counter[str] = field(default_factory=Counter)
    to_do: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What is to be said of rows of the other files that were taken, by what they hold."""

    @property
    def read(self) -> int:
        """Attendance rows or events read: the sum of what became of them."""
        return self.marks.total()

    @property
    def retracted(self) -> int:
        """How many marks of earlier imports a snapshot took back."""
        return _done(self.taken_back)

    @property
    def refused(self) -> bool:
        """Whether a snapshot would have taken back too much of something, of which it took back nothing."""
        return any(one.refused for one in (self.taken_back, *self.records_back.values()) if one is not None)

    def finish(self, source: Source) -> None:
        """Take over what its readers have to say, once all is read."""
        self.warnings, self.not_read = list(source.warnings), list(source.not_read)
        self.warnings += self.ids.warnings()
        self.handed_in = source.readers.handed_in()

    def see(self, items: Iterable[Item[MarkRow]], outcomes: Iterable[Outcome]) -> None:
        """Count attendance rows."""
        for item, outcome in zip(items, outcomes, strict=True):
            self.marks[outcome.status] += 1
            self.older += outcome.warning is not None
            if outcome.status == "out_of_scope":
                self.out_of_scope[item.row.school_id] += 1
            if outcome.why_not is not None:
                self.not_consented[outcome.why_not] += 1
            if outcome.why_not == "unknown_student":
                self.ids.miss(item.file, item.row.student_id)

    def count(self, kind: str, outcomes: Sequence[Outcome]) -> None:
        """Count rows of another file."""
        self.to_do.update((kind, outcome.warning) for outcome in outcomes if outcome.warning is not None)
        self.reference.setdefault(kind, Counter()).update(outcome.status for outcome in outcomes)

    def see_records(self, name: str, items: Iterable[Item[Record]], outcomes: Iterable[Outcome]) -> None:
        """Note why rows of a table of records, which are counted, were not kept."""
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.status == "out_of_scope":
                self.records_out_of_scope[name][outcome.reason or ""] += 1
            elif outcome.why_not is not None:
                self.records_not_consented[name][outcome.why_not] += 1
                if outcome.why_not == "unknown_student":
                    self.ids.miss(item.file, item.row.student_id)

    def kinds(self) -> dict[str, dict[str, int]]:
        """Rows read, and what became of them, by what they hold; of files, by the file's name without its ending.

        Of a snapshot also how many of attendance and of each table of records were taken back.
        """
        counted = {_FILES.get(kind, kind): (kind, counts) for kind, counts in self.reference.items()}
        found = {name: _counts_of(counts, self.unusable[kind]) for name, (kind, counts) in counted.items()}
        if self.read:
            found[ATTENDANCE] = self.mark_counts()
        for kind in self.handed_in:
            found.setdefault(_FILES.get(kind, kind), _counts_of(Counter()))
        if self.is_snapshot:
            for name in found.keys() & {ATTENDANCE, *RECORD_TABLES}:
                back = self.taken_back if name == ATTENDANCE else self.records_back.get(name)
                found[name]["taken_back"] = _done(back)
        return found

    def note_idle(self, row: MarkRow, enrolled: Iterable[Enrolled], reporting: Reporting) -> None:
        """Note a mark that counts in no window, and why."""
        for span in enrolled:
            if span.holds(row.school_id, row.date):
                break
        else:
            self.outside_enrollment[row.school_id] += 1
            return
        if not reporting.school(row.school_id).is_instructional(row.date):
            self.not_instructional[row.school_id] += 1

    def document(self) -> dict[str, object]:
        """The report as `--json` gives it; its rejections are printed one at a time."""
        return {
            **self.mark_counts(),
            "retracted": self.retracted,
            "not_consented_by": dict(self.not_consented.most_common()),
            "rejected_by": dict(self.rejections.by_reason().most_common()),
            "rejections": (
                {"file": r.file, "line": r.line, "field": r.field, "reason": r.reason} for r in self.rejections
            ),
            "not_read": [one._asdict() for one in self.not_read],
            "warnings": self.all_warnings(),
            "kinds": self.kinds(),
            "reference": {kind: dict(counts) for kind, counts in self.reference.items()},
        }

    def mark_counts(self) -> dict[str, int]:
        """Read, and what became of the rows."""
        return _counts_of(self.marks)

    def all_warnings(self) -> list[str]:
        """The readers' warnings, and for each school the marks that count in no window."""
        older = [f"{self.older} rows are older than what stands: they change nothing."] if self.older else []
        twice = (
            [f"{self.twice_enrolled} enrollments come with several exit dates: the longest holds."]
            if self.twice_enrolled
            else []
        )
        return [
            *self.warnings,
            *older,
            *twice,
            *(f"{number} {kind.replace('_', ' ')}: {what}." for (kind, what), number in sorted(self.to_do.items())),
            *self.notes,
            *(not_consented(name, why) for name, why in self.records_not_consented.items()),
            *chain.from_iterable(out_of_scope(name, why) for name, why in self.records_out_of_scope.items()),
            *(
                f"School {school}: {number} rows are out of scope. The agreement in force discloses no attendance of "
                "the school, or not of their dates; `firstbell agreement show` says what it does."
                for school, number in sorted(self.out_of_scope.items())
            ),
            *(
                f"School {school} has neither calendar nor sessions: its weekdays from the first to the last reported "
                "are taken for school days, and nothing that needs a rate or score is raised. Hand in a calendar."
                for school in sorted(self.assumed)
            ),
            *(
                f"School {school}: {n} marks lie on days that are not instructional; they count in no window."
                for school, n in sorted(self.not_instructional.items())
            ),
            *(
                f"School {school}: {n} marks lie outside every enrollment of their student; they count nowhere."
                for school, n in sorted(self.outside_enrollment.items())
            ),
        ]


def _done(back: TakenBack | None) -> int:
    return 0 if back is None or back.refused else back.marks


def _counts_of(counts: Counter[Status], unusable: int = 0) -> dict[str, int]:
    rejected = {"rejected": counts["rejected"] + unusable}
    return {"read": counts.total() + unusable, **{status: counts[status] for status in _STATUSES}, **rejected}
