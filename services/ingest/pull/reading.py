"""One round's reading: pages become rows by the code that reads files, and everything is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from services.ingest.formats.base import Item, Rejection, RowT
from services.ingest.formats.edfi_fields import Field, Resource
from services.ingest.formats.edfi_json import values_of
from services.ingest.formats.mapping import Mapping
from services.ingest.imports.reading import refused
from services.ingest.intake import Intake
from services.ingest.pull.client import Document, NotOfferedError, OdsClient
from services.ingest.pull.report import PullReport
from services.ingest.pull.windows import ChangeWindow, Page, pages, total
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import RowError
from services.ingest.store.pulls import PullState
from services.ingest.take.hand_in import HandIn

_MIDNIGHT: Final = "T00:00:00"
_TAKEN: Final = frozenset({"accepted", "duplicate"})


@dataclass(slots=True)
class Reading:
    """What the steps of a round read by, and to whom they hand it."""

    client: OdsClient
    intake: Intake
    mapping: Mapping
    state: PullState
    newest: int
    """The change version up to which this round reads."""
    moment: datetime
    """When it began: as of when rows speak that do not say when they were changed."""
    report: PullReport
    progress: Callable[[str, int, int], None]
    """Called with a resource, how many rows of it were read and how many there are."""
    counted: frozenset[str] = frozenset()
    """Resources whose rows count in this step; another step may look at them again."""
    refused: set[str] = field(default_factory=set)
    """Resources that the API does not give."""
    said: HandIn = field(init=False)
    """How rows are said."""
    claiming: HandIn = field(init=False)
    """How rows are said that are this source's from now on, also where another import said the same before."""

    def __post_init__(self) -> None:
        self.said = HandIn(history=True, run=self.state.run, as_of=self.moment)
        self.claiming = replace(self.said, whole=True)

    def window(self, collection: str) -> ChangeWindow:
        """What is to be read of a resource."""
        return ChangeWindow(self.state.done.get(collection, 0), self.newest)

    def is_first(self, *collections: str) -> bool:
        """Whether all of these are read from their beginning, whether for the first time or anew."""
        return all(self.window(one).done == 0 for one in collections)

    def is_anew(self, *collections: str) -> bool:
        """Whether any of these is read anew: what the source said of it and does not say now is taken back."""
        return any(one in self.state.anew for one in collections)

    def was_restored(self, collection: str) -> bool:
        """Whether it is read anew as the source may say again what was taken back since."""
        return self.state.anew.get(collection) == "restored"

    def lacks(self, *collections: str) -> bool:
        """Whether the API does not give something now of which rows were taken before."""
        before = {one for one in collections if self.state.done.get(one) or one in self.state.anew}
        return not self.refused.isdisjoint(before)

    async def rows(self, collection: str) -> AsyncIterator[Page]:
        """The pages of what changed."""
        counts = self.report.resources[collection]
        counting, is_begun = collection in self.counted, self.window(collection).done > 0
        async for page in self._pages(collection, self.window(collection)):
            if not is_begun:
                await self.intake.pulled.begun(self.client.url, collection)
                is_begun = True
            counts.read += len(page.rows) * counting
            yield page

    async def whole(self, collection: str) -> AsyncIterator[Page]:
        """The pages of all that there is; nothing of them is counted."""
        async for page in self._pages(collection, ChangeWindow(0, self.newest)):
            yield page

    async def gone(self, collection: str) -> AsyncIterator[list[dict[str, object]]]:
        """The keys that rows of the window had, of those that were deleted or have another key now."""
        window = self.window(collection)
        if window.done == 0 or collection in self.refused:
            return
        counts, counting = self.report.resources[collection], collection in self.counted
        for kind, name in (("keyChanges", "oldKeyValues"), ("deletes", "keyValues")):
            try:
                async for page in self._numbered(f"{collection}/{kind}", window):
                    if kind == "deletes":
                        counts.deleted += len(page.rows) * counting
                    else:
                        counts.key_changed += len(page.rows) * counting
                    keys = [key for row in page.rows if isinstance(key := row.get(name), dict)]
                    if len(keys) < len(page.rows):
                        self.report.note(f"{collection}: the API does not say of all {kind} what they were.")
                    yield keys
            except NotOfferedError as error:
                self.report.note(f"Not read: {error}")

    async def parse(
        self, collection: str, resource: Resource[RowT], page: Page, *, quietly: bool = False
    ) -> list[Item[RowT]]:
        """The rows that can be used; the others go to the report and the dead letters, unless `quietly`."""
        items, rejections = [], []
        for place, value in enumerate(page.rows):
            row = resource.parse(values_of(resource.fields, value), self.mapping)
            if isinstance(row, RowError):
                rejections.append(Rejection.of(row, collection, page.first + place))
            elif row is not None:
                items.append(Item(row, collection, page.first + place))
        if not quietly:
            await self.reject(collection, rejections)
        return items

    async def taken(self, collection: str, items: Sequence[Item[RowT]], outcomes: Sequence[Outcome]) -> None:
        """Count what became of rows."""
        counts = self.report.resources[collection]
        if collection in self.counted:
            counts.upserted += sum(one.status in _TAKEN for one in outcomes)
        self.report.not_consented.update(one.why_not for one in outcomes if one.why_not is not None)
        await self.reject(collection, refused(items, outcomes))

    async def reject(self, collection: str, rejections: Sequence[Rejection]) -> None:
        """Count rows that cannot be used, and send their dead letters."""
        self.report.resources[collection].rejected += len(rejections)
        self.report.rejections.extend(rejections)
        await self.intake.reject(rejections, "pull")

    async def _pages(self, collection: str, window: ChangeWindow) -> AsyncIterator[Page]:
        if window.is_empty or collection in self.refused:
            return
        try:
            async for page in self._numbered(collection, window):
                yield page
        except NotOfferedError as error:
            self.refused.add(collection)
            self.report.note(f"Not read: {error}")

    async def _numbered(self, path: str, window: ChangeWindow) -> AsyncIterator[Page]:
        rows, read = await total(self.client, path, window), 0
        self.progress(path, read, rows)
        async for page in pages(self.client, path, window, rows):
            yield page
            read += len(page.rows)
            self.progress(path, min(read, rows), rows)


def key_values(fields: Iterable[Field], key: Document) -> dict[str, object]:
    """What a key says by the names of the fields: it is flat, and its dates may have a time."""
    return {one.name: _day(key.get(one.json.rpartition("/")[2])) for one in fields}


def students_of(keys: Collection[Document]) -> set[str]:
    """The district's ids of the students that these keys are of."""
    return {str(one) for key in keys if (one := key.get("studentUniqueId"))}


def _day(value: object) -> object:
    return value.partition("T")[0] if isinstance(value, str) and _MIDNIGHT in value else value
