from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.notify.outbox_writer import OutboxStep, in_waves
from services.notify.routing import CaseKey, Notify, Retract, state_after
from tests.alert_events import event


def step(student: str, household: str, what: str, seq: int = 1) -> OutboxStep:
    came = event(student, seq=seq, household=household)
    alert = state_after(came, "Hope")
    action = Notify(alert) if what == "notify" else Retract(alert, notify=what == "withdraw")
    return OutboxStep(came.event_id, came.caused_at, action)


def test_what_is_told_of_different_households_is_written_at_once_whatever_came_between() -> None:
    steps = [step("a", "A", "notify"), step("b", "B", "withdraw"), step("c", "C", "notify"), step("d", "D", "cancel")]
    assert in_waves(steps) == [[steps[0], steps[2]], [steps[1], steps[3]]]


def test_an_alert_is_retracted_once_a_wave() -> None:
    steps = [step("a", "A", "withdraw", seq=2), step("a", "A", "withdraw", seq=4)]
    assert in_waves(steps) == [[steps[0]], [steps[1]]]


def test_an_alert_that_moved_to_another_household_is_retracted_after_it_was_told() -> None:
    steps = [step("a", "A", "notify", seq=1), step("a", "B", "withdraw", seq=2), step("b", "B", "notify")]
    assert in_waves(steps) == [[steps[0]], [steps[1]], [steps[2]]]


STEPS = st.lists(
    st.builds(step, st.sampled_from("abcd"), st.sampled_from("AB"), st.sampled_from(("notify", "withdraw", "cancel")))
)


@given(STEPS)
def test_every_step_is_taken_once_and_those_of_one_alert_or_household_in_their_order(steps: list[OutboxStep]) -> None:
    waves = in_waves(steps)
    taken = [(number, each) for number, wave in enumerate(waves) for each in wave]
    assert sorted(id(each) for _, each in taken) == sorted(id(each) for each in steps)
    for wave in waves:
        assert len({type(each.action) for each in wave}) == 1
    for key in {key for each in steps for key in keys(each)}:
        mine = [each for _, each in taken if key in keys(each)]
        assert [id(each) for each in mine] == [id(each) for each in steps if key in keys(each)]


def keys(each: OutboxStep) -> tuple[object, CaseKey]:
    return each.action.alert.alert_id, each.action.alert.case
