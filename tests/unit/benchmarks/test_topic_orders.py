"""Orders of topics: the very same records each time."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.core_driver import Core
from benchmarks.marks import year_of
from benchmarks.topic_orders import NAMES, SHUFFLED, SHUFFLED_WITHIN, good_order, make_orders
from models.artifact import default_artifact
from services.ingest.publish.batches import Record


@pytest.fixture(scope="module")
def good() -> list[Record]:
    return good_order(year_of(40, days=6), lambda: Core(default_artifact(), 1))


def of(topic: str, records: list[Record]) -> list[Record]:
    return [record for record in records if record.topic == topic]


def test_the_good_order_has_every_topic_that_the_worker_reads(good: list[Record]) -> None:
    assert {record.topic for record in good} == set(NAMES)


def test_every_order_has_the_same_records(good: list[Record]) -> None:
    for given in make_orders(good).values():
        assert Counter(given) == Counter(good)
        assert list(given) != []


def test_a_topic_first_or_last_is_so_as_a_whole_and_keeps_the_order_within(good: list[Record]) -> None:
    orders = make_orders(good)
    for topic, name in NAMES.items():
        inside = of(topic, good)
        assert list(orders[f"{name}_first"][: len(inside)]) == inside
        assert list(orders[f"{name}_last"][-len(inside) :]) == inside


def test_shuffled_topics_keep_the_order_within_each_and_shuffled_records_do_not(good: list[Record]) -> None:
    orders = make_orders(good)
    for topic in NAMES:
        assert of(topic, list(orders[SHUFFLED])) == of(topic, good)
    assert of("consents.v1", list(orders[SHUFFLED_WITHIN])) != of("consents.v1", good)
    assert [record.topic for record in orders[SHUFFLED_WITHIN][:40]] == ["consents.v1"] * 40
