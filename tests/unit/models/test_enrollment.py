"""Spans become disjoint segments of one school each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.enrollment import FOREVER, Segment, Span, school_on, segments

spans = st.lists(
    st.builds(
        lambda entry, length, school: Span(entry, entry + length, school),
        st.integers(1, 40),
        st.integers(-2, 20),
        st.sampled_from("ABC"),
    ),
    max_size=5,
)


def test_entry_and_exit_are_days_enrolled() -> None:
    parts = segments([Span(10, 12, "A")], 1, 100)
    assert [school_on(parts, day) for day in (9, 10, 12, 13)] == [None, "A", "A", None]


def test_a_day_in_two_spans_counts_at_the_school_entered_later() -> None:
    parts = segments([Span(20, 25, "B"), Span(10, 30, "A")], 1, 100)
    assert parts == (Segment(10, 19, "A"), Segment(20, 25, "B"), Segment(26, 30, "A"))


def test_spans_are_cut_to_the_days_with_consent() -> None:
    assert segments([Span(1, FOREVER, "A")], 50, 60) == (Segment(50, 60, "A"),)
    assert segments([Span(1, 49, "A"), Span(61, 70, "A")], 50, 60) == ()


def test_a_span_that_ends_before_it_begins_is_no_day() -> None:
    assert segments([Span(10, 9, "A")], 1, 100) == ()


@given(spans, st.integers(1, 60), st.integers(1, 60))
def test_segments_say_of_each_day_what_the_spans_say(found: list[Span], first: int, last: int) -> None:
    parts = segments(found, first, last)
    for day in range(1, 62):
        holding = [span for span in found if span.entry <= day <= span.exit and first <= day <= last]
        assert school_on(parts, day) == (max(holding).school if holding else None)
    assert list(parts) == sorted(parts)
    assert sum(part.last - part.first + 1 for part in parts) == sum(
        school_on(parts, day) is not None for day in range(1, 62)
    )
