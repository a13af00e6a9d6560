"""The same records in other orders: each topic first, each last, topics at random, records shuffled within topics."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

from benchmarks.core_driver import Core
from benchmarks.marks import SEED, Year
from benchmarks.publish import our_days, reference_records
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, RISK_WEEKS, SCHOOL_DAYS, THRESHOLDS
from services.ingest.publish.batches import Record

NAMES: Final = {
    CONSENTS.name: "consents",
    ENROLLMENTS.name: "enrollments",
    SCHOOL_DAYS.name: "calendar",
    MARKS.name: "marks",
    RISK_WEEKS.name: "week_counts",
    THRESHOLDS.name: "thresholds",
}
"""The topics that the worker reads, in the good order of their records, as the orders are named."""
SHUFFLED: Final = "topics_shuffled"
SHUFFLED_WITHIN: Final = "records_shuffled"

Records = Sequence[Record]


def good_order(year: Year, make_core: Callable[[], Core]) -> list[Record]:
    """Reference first, then day by day, and what this core's partitions tell each other right behind its cause."""
    core, result = make_core(), list(reference_records(year))
    core.take_all(result)
    for day in our_days(year):
        given = (*day.marks, *day.closes)
        core.take_all(given)
        result += (*given, *core.said)
        core.said.clear()
    return result


def make_orders(good: Records) -> dict[str, Records]:
    """Every other order, by its name. Within a topic records keep theirs, but for `SHUFFLED_WITHIN`."""
    chance = random.Random(SEED)  # noqa: S311 - not a secret
    orders: dict[str, Records] = {}
    for topic, name in NAMES.items():
        inside = [record for record in good if record.topic == topic]
        outside = [record for record in good if record.topic != topic]
        orders[f"{name}_first"] = inside + outside
        orders[f"{name}_last"] = outside + inside
    orders[SHUFFLED] = _interleaved(good, chance)
    orders[SHUFFLED_WITHIN] = _shuffled_within(good, chance)
    return orders


def _interleaved(good: Records, chance: random.Random) -> Records:
    turns = [record.topic for record in good]
    chance.shuffle(turns)
    left = {topic: iter([record for record in good if record.topic == topic]) for topic in NAMES}
    return [next(left[topic]) for topic in turns]


def _shuffled_within(good: Records, chance: random.Random) -> Records:
    """Topic after topic in the good order, the records of each at random."""
    topics = [[record for record in good if record.topic == topic] for topic in NAMES]
    for records in topics:
        chance.shuffle(records)
    return list(chain.from_iterable(topics))
