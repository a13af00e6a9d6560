"""The structs that the worker decodes are the contract's models, field by field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import msgspec
import pytest
from pydantic import BaseModel

from services.contracts import marks
from services.warning import wire

NAMES = ("DayCounts", "DayClosed", "DaysClosed", "WeekClosed")


@pytest.mark.parametrize("name", NAMES)
def test_a_struct_has_the_contracts_fields_and_defaults(name: str) -> None:
    model: type[BaseModel] = getattr(marks, name)
    struct = getattr(wire, name)
    expected = {field: info.is_required() for field, info in model.model_fields.items() if field != "type"}
    found = {field.name: field.required for field in msgspec.structs.fields(struct)}
    assert found == expected


def test_what_the_contract_writes_the_structs_read() -> None:
    counts = marks.DayCounts(school_id="a", date=date(2026, 1, 5), absent=1, reported=2, expected=3)
    close = marks.DayClosed(school_id="a", date=date(2026, 1, 5), counts=counts, history=True)
    closed = marks.DaysClosed(taken_at=datetime.now(UTC), token=uuid4(), closes=[close])
    week = marks.WeekClosed(taken_at=datetime.now(UTC), token=uuid4(), week=date(2026, 1, 5))
    for record in (closed, week):
        read = wire.decode_marks(record.model_dump_json().encode())
        assert type(record).model_validate_json(msgspec.json.encode(read)) == record


@pytest.mark.parametrize("value", [b"rubbish", b"{}", b'{"type": "marks"}', b'{"type": "other"}', b"[]"])
def test_rubbish_is_a_decode_error(value: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.decode_marks(value)
