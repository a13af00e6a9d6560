"""The event of `case.actions.v1`, and what the API takes."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from services.casework.actions.schemas import NewAction, NewClosing, NewStep
from services.contracts.cases import CaseAction
from tests.case_actions import action

given: TypeAdapter[NewStep | NewClosing] = TypeAdapter(NewAction)


def test_an_action_comes_back_from_its_json() -> None:
    closing = action(outcome="housing_crisis")
    assert CaseAction.model_validate_json(closing.model_dump_json()) == closing


def test_a_newer_writers_field_is_tolerated() -> None:
    text = action().model_dump_json().replace("{", '{"newer": 1, ', 1)
    assert CaseAction.model_validate_json(text).action == "closed"


@pytest.mark.parametrize(("kind", "outcome"), [("closed", None), ("taken", "other"), ("closed", "Jane Roe")])
def test_closings_and_nothing_else_have_an_outcome(kind: str, outcome: str | None) -> None:
    with pytest.raises(ValidationError) as caught:
        action(action=kind, outcome=outcome)
    assert "Jane Roe" not in str(caught.value)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValidationError):
        action(at="2016-12-12T15:20:41")


@pytest.mark.parametrize(
    "body",
    [
        {"action": "closed"},
        {"action": "closed", "outcome": None},
        {"action": "snoozed", "outcome": "other"},
        {"action": "opened"},
        {"outcome": "other"},
        {"action": "taken", "action_id": "1"},
        {"action": "taken", "on": "yesterday"},
    ],
)
def test_the_api_takes_no_impossible_action(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        given.validate_python(body)


def test_an_action_without_an_id_gets_one_of_its_own() -> None:
    ids = {given.validate_python({"action": "taken"}).action_id for _ in range(2)}
    assert len(ids) == 2
    assert all(isinstance(each, UUID) for each in ids)
