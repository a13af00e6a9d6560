"""Which events raise somebody anew, and what gave the level."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.contracts.alerts import AlertEvent, AlertEventType, Level, Reason
from services.rehearsal.new_alerts import NewAlerts, Origin, is_new, origin

NAME = UUID("6f1e5d5e-6d0c-5f43-9d5c-0f1b57be11aa")


def reason(rule: str, level: Level) -> Reason:
    return Reason(rule=rule, kind="kind", level=level, text="text", dates=[date(2016, 12, 5)], clears="clears")


def event(kind: AlertEventType, level: Level, previous: Level | None) -> AlertEvent:
    return AlertEvent(
        type=kind,
        event_id=NAME,
        alert_id=NAME,
        seq=1,
        student="s",
        school_id="A",
        level=level,
        previous_level=previous,
        raised_on=date(2016, 12, 5),
        changed_on=date(2016, 12, 5),
        reasons=[reason("streak_5", level)],
        caused_at=datetime(2016, 12, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([reason("streak_10", "urgent")], "rules"),
        ([reason("model", "elevated"), reason("model_streak", "watch")], "model"),
        ([reason("model", "elevated"), reason("month", "watch")], "both"),
        ([reason("streak_10", "urgent"), reason("model", "watch"), reason("model_sibling", "watch")], "rules"),
    ],
)
def test_the_model_gave_a_level_when_its_score_has_one_and_a_rule_when_one_holds(
    reasons: list[Reason], expected: Origin
) -> None:
    assert origin(reasons) == expected


@pytest.mark.parametrize(
    ("kind", "level", "previous", "expected"),
    [
        ("AlertRaised", "watch", None, False),
        ("AlertRaised", "elevated", None, True),
        ("AlertLevelChanged", "urgent", "watch", True),
        ("AlertLevelChanged", "urgent", "elevated", False),
        ("AlertLevelChanged", "watch", "elevated", False),
        ("AlertCleared", "elevated", "elevated", False),
        ("AlertAmended", "elevated", "elevated", False),
    ],
)
def test_new_is_who_comes_from_below(
    kind: AlertEventType, level: Level, previous: Level | None, *, expected: bool
) -> None:
    assert is_new(event(kind, level, previous)) == expected


def test_the_summary_says_that_the_model_is_of_simulated_data_and_what_the_places_were() -> None:
    by: dict[Origin, int] = {"rules": 1, "model": 20, "both": 9}
    found = dict(NewAlerts(by, 10, 3.0, 3, "first", simulated=True).summary())

    assert found["elevated/urgent"] == "1 by rules alone, 20 by the model alone, 9 by both; 3.0 a week (capacity 3)"
    assert found["model"] == "first, trained on simulated data"


def test_without_a_model_the_summary_says_that_the_rules_go_on_alone() -> None:
    by: dict[Origin, int] = {"rules": 1, "model": 0, "both": 0}
    found = dict(NewAlerts(by, 0, None, None, None, simulated=None, problem="There is no model.json.").summary())

    assert found["model"] == "none, the rules go on alone: There is no model.json."
