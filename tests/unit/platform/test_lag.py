"""What a commit, an end and a timestamp say together."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from services.platform.groups import Commit
from services.platform.lag import NOTHING_LEFT, partition_lag, rounds

TP = TopicPartition("marks", 0)
OTHER = TopicPartition("marks", 1)
NOW = 1_000_000.0


def test_no_commit_is_unknown_and_not_zero() -> None:
    row = partition_lag(Commit("g", TP, None), {TP: 5}, {}, now=NOW)
    assert (row.committed, row.end, row.lag, row.seconds_behind) == (None, 5, None, None)


def test_no_commit_on_an_empty_partition_is_unknown_too() -> None:
    row = partition_lag(Commit("g", TP, None), {TP: 0}, {}, now=NOW)
    assert (row.lag, row.seconds_behind) == (None, None)


def test_a_group_at_the_end_is_zero_seconds_behind() -> None:
    row = partition_lag(Commit("g", TP, 5), {TP: 5}, {}, now=NOW)
    assert (row.lag, row.seconds_behind) == (0, 0.0)


def test_seconds_are_the_age_of_the_first_uncommitted_record() -> None:
    row = partition_lag(Commit("g", TP, 3), {TP: 5}, {(TP, 3): NOW - 90.5}, now=NOW)
    assert (row.lag, row.seconds_behind) == (2, 90.5)


def test_a_record_from_a_clock_that_is_ahead_is_zero_seconds_old() -> None:
    assert partition_lag(Commit("g", TP, 3), {TP: 5}, {(TP, 3): NOW + 7}, now=NOW).seconds_behind == 0.0


def test_when_only_markers_are_left_nothing_is_behind_in_seconds() -> None:
    assert partition_lag(Commit("g", TP, 4), {TP: 5}, {(TP, 4): NOTHING_LEFT}, now=NOW).seconds_behind == 0.0


@pytest.mark.parametrize("stamps", [{}, {(TP, 3): None}], ids=["not read in time", "a record without timestamp"])
def test_seconds_are_unknown_when_no_timestamp_is(stamps: dict[tuple[TopicPartition, int], float | None]) -> None:
    row = partition_lag(Commit("g", TP, 3), {TP: 5}, stamps, now=NOW)
    assert (row.lag, row.seconds_behind) == (2, None)


def test_a_partition_that_cannot_be_asked_has_no_end_and_no_lag() -> None:
    row = partition_lag(Commit("g", TP, 3), {}, {}, now=NOW)
    assert (row.committed, row.end, row.lag, row.seconds_behind) == (3, None, None, None)


def test_a_commit_beyond_the_end_has_a_negative_lag_and_no_seconds() -> None:
    row = partition_lag(Commit("g", TP, 9), {TP: 5}, {}, now=NOW)
    assert (row.lag, row.seconds_behind) == (-4, None)


def test_each_round_stands_at_one_offset_of_a_partition_and_no_place_is_left_out() -> None:
    places = {(TP, 1), (TP, 5), (OTHER, 2), (TP, 9)}
    layers = rounds(places)
    assert sorted(place for layer in layers for place in layer.items()) == sorted(places)
    assert [len(layer) for layer in layers] == [2, 1, 1]


def test_without_places_there_is_no_round() -> None:
    assert rounds([]) == []
