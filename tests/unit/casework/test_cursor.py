from __future__ import annotations

import contextlib
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.history.cursor import InvalidCursorError, Position, decode, encode


@given(st.dates(), st.uuids())
def test_a_cursor_leads_back_to_its_position(raised_on: date, alert: UUID) -> None:
    position = Position(raised_on, alert)
    assert decode(encode(position)) == position


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "AAAA", "é" * 27, "A" * 27, "////" * 7, "A" * 28, "B" * 26])
def test_a_cursor_that_we_never_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode(cursor)


@given(st.text(max_size=40))
def test_no_text_breaks_the_decoder(cursor: str) -> None:
    with contextlib.suppress(InvalidCursorError):
        assert encode(decode(cursor)) == cursor
