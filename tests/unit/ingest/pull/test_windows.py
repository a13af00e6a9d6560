"""Pages of a window of change versions, from the last to the first."""

from __future__ import annotations

import httpx
import pytest

from services.ingest.pull.client import NotOfferedError, OdsError
from services.ingest.pull.windows import PAGE, ChangeWindow, available, pages, total
from tests.unit.ingest.pull.support import FakeOds

WINDOW = ChangeWindow(0, 9)


def ods(number: int, *, counts: bool = True) -> FakeOds:
    return FakeOds({"grades": [(1, {"id": n}) for n in range(number)]}, counts=counts)


async def read(fake: FakeOds, window: ChangeWindow = WINDOW) -> list[object]:
    client = fake.client()
    rows = await total(client, "grades", window)
    return [row["id"] async for page in pages(client, "grades", window, rows) for row in page.rows]


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("number", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE + 3])
async def test_each_row_of_a_window_is_read_whether_or_not_the_api_counts(number: int, *, counts: bool) -> None:
    found = await read(ods(number, counts=counts))
    assert sorted(map(str, found)) == sorted(map(str, range(number)))


async def test_no_row_is_missed_when_rows_leave_the_window_while_it_is_read() -> None:
    fake = ods(3 * PAGE)

    def leave(request: httpx.Request) -> None:
        if request.url.params.get("limit") == str(PAGE):
            fake.rows["grades"] = [(v, row) for v, row in fake.rows["grades"] if row["id"] not in range(7)]

    fake.before = leave
    assert set(map(str, await read(fake))) >= set(map(str, range(7, 3 * PAGE)))


def test_a_window_asks_for_what_comes_after_the_last_one() -> None:
    assert ChangeWindow(4, 9).params == {"minChangeVersion": 5, "maxChangeVersion": 9}
    assert ChangeWindow(0, 9).params == {"maxChangeVersion": 9}
    assert ChangeWindow(9, 9).is_empty
    assert not ChangeWindow(8, 9).is_empty


async def test_only_what_changed_in_the_window_is_read() -> None:
    fake = FakeOds({"grades": [(n, {"id": n}) for n in range(1, 10)]})
    assert await read(fake, ChangeWindow(3, 6)) == [4, 5, 6]


async def test_a_resource_that_is_not_there_is_not_offered() -> None:
    with pytest.raises(NotOfferedError, match=r"grades: the API does not have it \(404\)"):
        await total(FakeOds().client(), "grades", WINDOW)


async def test_an_answer_that_is_no_list_is_an_error() -> None:
    fake = FakeOds()
    fake.before = lambda request: httpx.Response(200, json={}) if "ed-fi" in request.url.path else None
    with pytest.raises(OdsError, match="no list of objects"):
        await total(fake.client(), "grades", WINDOW)


async def test_change_versions_are_found_in_either_spelling() -> None:
    fake = FakeOds()
    assert await available(fake.client()) == (0, 9)
    fake.before = lambda request: (
        httpx.Response(200, json={"OldestChangeVersion": 2, "NewestChangeVersion": 3})
        if "changeQueries" in request.url.path
        else None
    )
    assert await available(fake.client()) == (2, 3)
    fake.before = lambda request: httpx.Response(200, json=[]) if "changeQueries" in request.url.path else None
    with pytest.raises(OdsError, match="does not say which change versions"):
        await available(fake.client())
