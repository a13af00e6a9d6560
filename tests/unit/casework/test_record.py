from __future__ import annotations

from services.casework.intake.record import newest
from tests.alert_events import event


def test_of_a_batch_the_highest_seq_of_each_alert_counts() -> None:
    first, second = event("a", seq=1), event("a", "AlertCleared", seq=2)
    other = event("b", seq=7)
    assert {(each.student, each.seq) for each in newest([second, first, other])} == {("a", 2), ("b", 7)}
