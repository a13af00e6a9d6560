from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.casework.changes.feed import MOST_WAITING, CaseChange, _Listener, _Said
from services.casework.changes.routes import as_event
from services.platform.identity.caller import Caller, Role

CASE = UUID(int=1)


def somebody(role: Role = "caseworker", agency: str = "project-hope", schools: set[str] | None = None) -> Caller:
    forever = datetime.max.replace(tzinfo=UTC)
    return Caller("ann", role, agency, None if schools is None else frozenset(schools), None, forever)


def said(position: int = 1, *, schools: set[str] | None = None) -> _Said:
    return _Said(CaseChange(position, CASE, "changed"), "project-hope", None if schools is None else frozenset(schools))


@pytest.mark.parametrize(
    ("who", "is_told"),
    [
        (somebody(), True),
        (somebody(agency="dsni"), False),
        (somebody("steward", agency="bps"), True),
        (somebody(schools={"burke"}), True),
        (somebody(schools={"elsewhere"}), False),
        (somebody(schools=set()), False),
    ],
)
def test_who_is_told_is_who_may_see_it(who: Caller, *, is_told: bool) -> None:
    assert said(schools={"burke", "dearborn"}).is_for(who) is is_told


def test_who_is_slow_asks_for_everything_again() -> None:
    listener = _Listener(somebody(), 0)
    for position in range(MOST_WAITING + 2):
        listener.hear(said(position))
    assert listener.waiting.get_nowait() == CaseChange(MOST_WAITING, None, "changed")
    assert listener.waiting.get_nowait() == CaseChange(MOST_WAITING + 1, CASE, "changed")
    assert listener.waiting.empty()


def test_a_stream_ends_however_full_it_is() -> None:
    listener = _Listener(somebody(), 0)
    for position in range(MOST_WAITING):
        listener.hear(said(position))
    listener.end()
    last = [listener.waiting.get_nowait() for _ in range(listener.waiting.qsize())][-1]
    assert last is None


def test_an_event_carries_ids_alone() -> None:
    text = as_event(CaseChange(7, CASE, "gone"))
    assert text == f'id: 7\nevent: gone\ndata: {{"case": "{CASE}"}}\n\n'
