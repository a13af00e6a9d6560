"""What is shared beside attendance.

Several rows of a source may say the same of a student, and what a row said before it changed is not told. So of
students of whom something is gone, or may be, all that there is is read again, and what this source said and says no
more is taken back. No student's id is in an address that is asked: the resource is read whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from services.ingest.formats import edfi_courses, edfi_demographics
from services.ingest.formats.base import Item
from services.ingest.formats.edfi_catalogue import Catalogue
from services.ingest.formats.edfi_described import merged
from services.ingest.formats.edfi_fields import Resource
from services.ingest.formats.edfi_records import RECORDS
from services.ingest.pull.reading import Reading, students_of
from services.ingest.pull.windows import Page
from services.ingest.rows.kinds import COURSES, DEMOGRAPHICS, RECORD_TABLES, RecordTable
from services.ingest.rows.records import DemographicsRow, Record
from services.ingest.store.records import RecordKey

_CATALOGUE: Final = tuple(one.collection for one in edfi_courses.CATALOGUE)


@dataclass(slots=True)
class _Touched:
    """Students of whom a table is compared with all that the source says."""

    students: set[str] = field(default_factory=set)
    all: bool = False

    def __contains__(self, student_id: str) -> bool:
        return self.all or student_id in self.students


@dataclass(frozen=True, slots=True)
class RecordsStep:
    """A table, and the resources that say something of it."""

    table: RecordTable
    resources: tuple[Resource[Record], ...]
    looks_at: frozenset[str] = frozenset()
    loose: bool = False
    """A row that changes may come to another key than before, or to nothing."""

    @property
    def counts(self) -> frozenset[str]:
        """Its resources, without those that it only looks at."""
        return frozenset(one.collection for one in self.resources) - self.looks_at

    async def take(self, reading: Reading) -> None:
        """Take what changed, and compare those of whom something may be gone."""
        touched = _Touched(all=reading.is_anew(*(one.collection for one in self.resources)))
        for resource in self.resources:
            touched.students |= await gone_of(reading, resource.collection)
            async for page in reading.rows(resource.collection):
                items = await reading.parse(resource.collection, resource, page)
                await take_rows(reading, self.table, resource.collection, items)
                if self.loose and reading.window(resource.collection).done:
                    touched.students |= students_in(page)
            await hand_in(reading, self.table, resource.collection)
        if touched.all or touched.students:
            await self._compare(reading, touched)

    async def _compare(self, reading: Reading, touched: _Touched) -> None:
        async def everything() -> AsyncIterator[list[Item[Record]]]:
            for resource in self.resources:
                async for page in reading.whole(resource.collection):
                    yield await reading.parse(resource.collection, resource, page, quietly=True)

        names = [one.collection for one in self.resources]
        await compare(reading, self.table, names, everything(), touched)


@dataclass(frozen=True, slots=True)
class CoursesStep:
    """Courses of students, of which the catalogue tells more; it is read whole, as it is as small as a timetable."""

    counts: frozenset[str] = frozenset({*_CATALOGUE, edfi_courses.COURSES.collection})
    looks_at: frozenset[str] = frozenset()

    async def take(self, reading: Reading) -> None:
        """Take those that changed; all of them when the catalogue did."""
        collection = edfi_courses.COURSES.collection
        again = await self._catalogue_changed(reading) and not reading.is_first(collection)
        if reading.lacks(*_CATALOGUE):  # without it courses would say less than they do: they wait
            reading.refused |= self.counts
            return
        touched = _Touched(await gone_of(reading, collection), all=reading.is_anew(collection))
        catalogue: Catalogue | None = None
        async for page in reading.rows(collection):
            catalogue = catalogue or await _catalogue(reading)
            items = await _courses(reading, page, catalogue)
            await take_rows(reading, COURSES, collection, items)
        await hand_in(reading, COURSES, collection)
        if again or touched.all or touched.students:
            found = catalogue or await _catalogue(reading)

            async def everything() -> AsyncIterator[list[Item[Record]]]:
                async for page in reading.whole(collection):
                    items = await _courses(reading, page, found, quietly=True)
                    if again:
                        await reading.intake.take_records(COURSES, [item.row for item in items], reading.claiming)
                    yield items

            await compare(reading, COURSES, [collection], everything(), touched)

    async def _catalogue_changed(self, reading: Reading) -> bool:
        changed = False
        for resource in edfi_courses.CATALOGUE:
            async for keys in reading.gone(resource.collection):
                changed = changed or bool(keys)
            async for page in reading.rows(resource.collection):
                changed = True
                items = await reading.parse(resource.collection, resource, page)
                reading.report.resources[resource.collection].upserted += len(items)
        return changed


@dataclass(frozen=True, slots=True)
class DemographicsStep:
    """Demographics: district, school and programme say parts of a student's row, which are brought together."""

    counts: frozenset[str] = frozenset({edfi_demographics.DEMOGRAPHICS[0].collection})
    looks_at: frozenset[str] = frozenset({edfi_demographics.DEMOGRAPHICS[1].collection})

    async def take(self, reading: Reading) -> None:
        """Read all of it again when anything changed, and take the rows of those of whom it did."""
        resources = edfi_demographics.DEMOGRAPHICS
        names = [one.collection for one in resources]
        gone: set[str] = set()
        changed: set[str] = set()
        for resource in resources:
            gone |= await gone_of(reading, resource.collection)
            async for page in reading.rows(resource.collection):
                changed |= students_in(page)
                items = await reading.parse(resource.collection, resource, page)
                if resource.collection in self.counts:
                    reading.report.resources[resource.collection].upserted += len(items)
        await hand_in(reading, DEMOGRAPHICS, names[0])
        touched = _Touched(gone | changed, all=reading.is_anew(*names))
        if not (touched.all or touched.students):
            return
        rows: dict[str, DemographicsRow] = {}
        for resource in resources:
            async for page in reading.whole(resource.collection):
                for item in await reading.parse(resource.collection, resource, page, quietly=True):
                    if (student := item.row.student_id) in touched:
                        rows[student] = merged(rows[student], item.row) if student in rows else item.row
        if gone:  # what was deleted may have said what nothing says now, and what stands keeps what is not said
            before = replace(reading, moment=reading.moment - timedelta(microseconds=1))
            await _close_others(before, DEMOGRAPHICS, names, set(), _Touched(gone))
        await _take_all(reading, list(rows.values()))
        await _close_others(reading, DEMOGRAPHICS, names, {(student,) for student in rows}, touched)


async def _take_all(reading: Reading, rows: Sequence[DemographicsRow]) -> None:
    for start in range(0, len(rows), 2_000):
        outcomes = await reading.intake.take_records(DEMOGRAPHICS, rows[start : start + 2_000], reading.claiming)
        reading.report.not_consented.update(one.why_not for one in outcomes if one.why_not is not None)


async def gone_of(reading: Reading, collection: str) -> set[str]:
    """The students of whom a row of the resource is gone."""
    found: set[str] = set()
    async for keys in reading.gone(collection):
        found |= students_of(keys)
    return found


def students_in(page: Page) -> set[str]:
    """The students whom the rows of a page are of."""
    return students_of([one for row in page.rows if isinstance(one := row.get("studentReference"), dict)])


async def take_rows(reading: Reading, table: RecordTable, collection: str, items: Sequence[Item[Record]]) -> None:
    """Take rows, which this source says from now on, also if another said them before."""
    outcomes = await reading.intake.take_records(table, [item.row for item in items], reading.claiming)
    await reading.taken(collection, items, outcomes)


async def hand_in(reading: Reading, table: RecordTable, collection: str) -> None:
    """Also a resource without rows was handed in: that there are none is known then."""
    if reading.is_first(collection) and collection not in reading.refused:
        await reading.intake.take_records(table, [], reading.claiming)


async def compare(
    reading: Reading,
    table: RecordTable,
    collections: Sequence[str],
    everything: AsyncIterator[list[Item[Record]]],
    touched: _Touched,
) -> None:
    """Take what stands of those who are touched, and take back what this source said of them and says no more."""
    said: set[RecordKey] = set()
    async for items in everything:
        rows = [item.row for item in items if item.row.student_id in touched]
        said.update((row.student_id, *(getattr(row, name) for name in table.key)) for row in rows)
        if rows and not touched.all:
            await reading.intake.take_records(table, rows, reading.claiming)
    await _close_others(reading, table, collections, said, touched)


async def _close_others(
    reading: Reading, table: RecordTable, collections: Sequence[str], said: set[RecordKey], touched: _Touched
) -> None:
    """Nothing is taken back while the API does not give all of it."""
    if not reading.lacks(*collections):
        students = None if touched.all else touched.students
        await reading.intake.pulled.close_other_records(table, said, reading.state.run, reading.moment, students)


async def _catalogue(reading: Reading) -> Catalogue:
    catalogue = Catalogue(())
    for resource in edfi_courses.CATALOGUE:
        async for page in reading.whole(resource.collection):
            for item in await reading.parse(resource.collection, resource, page, quietly=True):
                catalogue.add(item.row)
    return catalogue


async def _courses(reading: Reading, page: Page, catalogue: Catalogue, *, quietly: bool = False) -> list[Item[Record]]:
    resource = edfi_courses.COURSES
    places = await reading.parse(resource.collection, resource, page, quietly=quietly)
    return [Item(catalogue.course(place.row), place.file, place.line) for place in places]


PROGRAMS_STEP: Final = RecordsStep(RECORD_TABLES["programs"], RECORDS["programs"])
GRADES_STEP: Final = RecordsStep(RECORD_TABLES["grades"], (edfi_courses.GRADES,))
ASSESSMENTS_STEP: Final = RecordsStep(RECORD_TABLES["assessments"], RECORDS["assessments"], loose=True)
SUSPENSIONS_STEP: Final = RecordsStep(RECORD_TABLES["suspensions"], RECORDS["suspensions"], loose=True)
GRADUATIONS_STEP: Final = RecordsStep(
    RECORD_TABLES["graduations"],
    RECORDS["graduations"],
    looks_at=frozenset({"studentSchoolAssociations"}),
    loose=True,
)
