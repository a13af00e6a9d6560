"""What Faust passes over in a rebalance is not taken for done."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faust.transport.drivers.aiokafka import Consumer

from services.warning.consumer import SeekingConsumer


@pytest.mark.parametrize(("generation", "flows", "counts"), [(3, True, True), (2, True, False), (3, False, False)])
def test_only_records_of_the_present_assignment_are_acknowledged(
    monkeypatch: pytest.MonkeyPatch, generation: int, *, flows: bool, counts: bool
) -> None:
    acked: list[object] = []
    monkeypatch.setattr(Consumer, "ack", lambda _, message: not acked.append(message))
    consumer = SeekingConsumer.__new__(SeekingConsumer)
    flow = SimpleNamespace(is_active=lambda: flows)
    consumer.app = SimpleNamespace(consumer_generation_id=3, flow_control=flow)
    message = SimpleNamespace(generation_id=generation)
    assert consumer.ack(message) is counts
    assert acked == ([message] if counts else [])
