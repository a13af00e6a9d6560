"""What aiokafka does not promise, and fencing stands on."""

from __future__ import annotations

import pytest

from services.platform.kafka import make_producer


@pytest.mark.parametrize("name", ["some name", None])
async def test_a_producers_name_is_where_fencing_looks_for_it(name: str | None) -> None:
    producer = make_producer("localhost:1", transactional_id=name)
    assert producer._txn_manager.transactional_id == name
    await producer.stop()
