"""OneRoster: grades are the results of those line items that are a class's grade for a term, and of no others.

How a term's grade comes of assignments and tests is the gradebook's own: nothing is averaged here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

from services.ingest.formats.base import Found, ReadLog, Rejection
from services.ingest.formats.csv_table import Table
from services.ingest.formats.inputs import Input
from services.ingest.formats.oneroster import Roster
from services.ingest.formats.oneroster_classes import (
    CLASSES,
    COURSES,
    ClassEnrollmentsReader,
    Classes,
    RosterFaults,
    found,
)
from services.ingest.formats.oneroster_sessions import SESSIONS
from services.ingest.formats.oneroster_table import NAME_LENGTH, NOT_THERE, is_deleted, roster_table, word
from services.ingest.formats.sources import Readers
from services.ingest.rows import fields, parse_records
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import GradeRow, Record, TermRow

_MOST: Final = 1_000
_GRADED: Final = "fully graded"
_TERM_GRADES: Final = frozenset(
    f"{term} {grade}"
    for term in (
        "final",
        "term",
        "grading period",
        "marking period",
        "quarter",
        "trimester",
        "semester",
        "overall",
        "report card",
    )
    for grade in ("grade", "grades", "mark", "marks")
) | {"report card"}
"""Titles of categories whose line items are grades for a term, in lower case; a final exam is none."""
_NO_TERM_GRADE: Final = "of line items that are no class's grade for a term"
_NOT_GRADED: Final = "not fully graded"


class _TermItem(NamedTuple):
    """A line item that is a class's grade for a term."""

    class_id: str
    term: str
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class _LineItem:
    sourced_id: str
    class_id: str
    category: str
    term: str | None
    most: Decimal | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class _Category:
    sourced_id: str
    is_term_grade: bool


@dataclass(frozen=True, slots=True)
class _Result:
    line_item: str
    user: str
    graded: bool
    text: object
    score: object
    deleted: bool


def _line_item(values: Values) -> _LineItem:
    period, session = (
        fields.optional_id(values, name) for name in ("gradingPeriodSourcedId", "academicSessionSourcedId")
    )
    return _LineItem(
        fields.required_id(values, "sourcedId"),
        fields.required_id(values, "classSourcedId"),
        fields.optional_id(values, "categorySourcedId") or "",
        period or session,
        fields.optional_number(values, "resultValueMax", _MOST),
        is_deleted(values),
    )


def _category(values: Values) -> _Category:
    title = fields.optional_words(values, "title", NAME_LENGTH) or ""
    return _Category(fields.required_id(values, "sourcedId"), title.lower() in _TERM_GRADES)


def _result(values: Values) -> _Result:
    return _Result(
        fields.required_id(values, "lineItemSourcedId"),
        fields.required_id(values, "studentSourcedId"),
        word(values, "scoreStatus") == _GRADED,
        values.get("textScore"),
        values.get("score"),
        is_deleted(values),
    )


_LINE_ITEMS: Final = roster_table(
    "sourcedId status classSourcedId categorySourcedId gradingPeriodSourcedId academicSessionSourcedId resultValueMax",
    "title description assignDate dueDate schoolSourcedId resultValueMin",
    "sourcedId classSourcedId categorySourcedId",
    _line_item,
)
_CATEGORIES: Final = roster_table("sourcedId title", "status weight", "sourcedId title", _category)
_RESULTS: Final = roster_table(
    "status lineItemSourcedId studentSourcedId scoreStatus score textScore",
    "sourcedId scoreDate comment classSourcedId inProgress incomplete late missing",
    "lineItemSourcedId studentSourcedId scoreStatus",
    _result,
)
TABLES: Final[dict[str, Table[object]]] = {
    "categories": _CATEGORIES,
    "classes": CLASSES,
    "courses": COURSES,
    "lineitems": _LINE_ITEMS,
    "results": _RESULTS,
}
"""By the name of the file, in lower case, without its suffix."""


@dataclass(eq=False)
class _Bucket:
    """The line items of one class and term: how many there are, and one of them."""

    items: int = 0
    item: str = ""
    most: Decimal | None = None


@dataclass(eq=False)
class Gradebook:
    """Which line items of a set are grades for a term: at most one a class and term."""

    classes: Classes

    @property
    def roster(self) -> Roster:
        """The files of the set."""
        return self.classes.roster

    @cached_property
    def term_items(self) -> dict[str, _TermItem]:
        """By sourcedId.

        It is the one whose category says so; in a set that has no such category, the only one of its class and term.
        """
        categories = {
            one.row.sourced_id for one in self.roster.usable("categories", _CATEGORIES) if one.row.is_term_grade
        }
        buckets: defaultdict[tuple[str, str], _Bucket] = defaultdict(_Bucket)
        for one in self.roster.usable("lineitems", _LINE_ITEMS):
            term = self._term(one.row)
            if one.row.deleted or term is None or (categories and one.row.category not in categories):
                continue
            bucket = buckets[one.row.class_id, term]
            bucket.items += 1
            bucket.item, bucket.most = one.row.sourced_id, one.row.most
        return {
            bucket.item: _TermItem(class_id, term, bucket.most)
            for (class_id, term), bucket in buckets.items()
            if bucket.items == 1
        }

    @cached_property
    def scales(self) -> dict[str, Decimal]:
        """The best numeric grade of each term, where its line items agree on it; by the term's name."""
        most: defaultdict[str, set[Decimal | None]] = defaultdict(set)
        for item in self.term_items.values():
            most[self.classes.terms[item.term]].add(item.most)
        scales = {term: next(iter(found)) for term, found in most.items() if len(found) == 1}
        return {term: scale for term, scale in scales.items() if scale is not None}

    def _term(self, item: _LineItem) -> str | None:
        """The sourcedId of the term that it is of: its own, else the only one of its class."""
        if item.term is not None:
            return item.term if item.term in self.roster.sessions else None
        place = self.classes.by_id.get(item.class_id)
        return place.terms[0] if place is not None and len(self.classes.sessions(place)) == 1 else None


@dataclass(frozen=True, slots=True)
class ResultsReader:
    """The grades among the results."""

    source: Input
    gradebook: Gradebook

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order; how many results are no grades is told."""
        left_out: Counter[str] = Counter()
        for one in self.gradebook.roster.rows("results", _RESULTS, log):
            if isinstance(one, Rejection):
                yield one
                continue
            row = self._grade(one.row, left_out)
            if row is not None:
                yield found(row, one)
        for why, number in left_out.items():
            log.warn(f"{self.source.name}: {number:,} results not read: {why}")

    def _grade(self, result: _Result, left_out: Counter[str]) -> Record | RowError | None:
        gradebook = self.gradebook
        item, user = gradebook.term_items.get(result.line_item), gradebook.roster.users.get(result.user)
        if result.deleted or (user is not None and user.deleted):
            return None
        if item is None or not result.graded:
            left_out[_NO_TERM_GRADE if item is None else _NOT_GRADED] += 1
            return None
        if user is None:
            return RowError.of(FieldError("studentSourcedId", NOT_THERE))
        place = gradebook.classes.by_id.get(item.class_id)
        if place is None:
            return RowError.of(FieldError("lineItemSourcedId", NOT_THERE))
        values = {
            "student_id": user.row.student_id,
            "course": gradebook.classes.code(place),
            "term": gradebook.classes.terms[item.term],
        }
        row = parse_records.parse_grade({**values, "grade": result.text or result.score})
        by_score = result.text and result.score and not isinstance(row, GradeRow)
        return parse_records.parse_grade({**values, "grade": result.score}) if by_score else row


@dataclass(frozen=True, slots=True)
class AcademicTermsReader:
    """The academic sessions as terms, with the scale of their grades."""

    source: Input
    gradebook: Gradebook

    def read(self, log: ReadLog) -> Iterator[Found[TermRow]]:
        """The rows in file order."""
        terms = self.gradebook.classes.terms
        for one in self.gradebook.roster.rows("academicsessions", SESSIONS, log):
            if isinstance(one, Rejection):
                yield one
            elif not one.row.deleted:
                name = terms[one.row.sourced_id]
                yield found(TermRow(name, one.row.begin, one.row.last, self.gradebook.scales.get(name)), one)


def take_gradebook(roster: Roster, into: Readers) -> list[Input]:
    """Add what reads the courses, grades and terms of a set.

    What is returned are the files that are of no use without others.
    """
    files = {kind: source for kind, (source, _) in roster.files.items()}
    gradebook = Gradebook(Classes(roster))
    looked_up: dict[str, str] = {}
    used: set[str] = set()
    if {"classes", "enrollments"} <= files.keys():
        into.record("courses", ClassEnrollmentsReader(files["enrollments"], gradebook.classes))
        looked_up |= dict.fromkeys(("classes", "courses"), "courses")
    if {"classes", "lineitems", "results"} <= files.keys():
        into.record("grades", ResultsReader(files["results"], gradebook))
        looked_up |= {"classes": "courses", "courses": "courses", "lineitems": "grades", "categories": "grades"}
        used.add("results")
    for kind, name in looked_up.items():
        if kind in files:
            into.record(name, RosterFaults(files[kind], roster, kind, TABLES[kind]))
    if looked_up and "academicsessions" in files:
        into.terms.append(AcademicTermsReader(files["academicsessions"], gradebook))
    return [files[kind] for kind in TABLES if kind in files and kind not in looked_up and kind not in used]
