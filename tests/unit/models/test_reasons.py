"""Why a level is what it is: the parts of the score in plain words, with their dates."""

from __future__ import annotations

from datetime import date
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifact import SIBLING, Artifact, Step
from models.engine.episodes import Hit
from models.engine.reasons import KIND, LEAST, MOST
from models.engine.scores import Since
from models.features import FEATURES, INPUTS
from models.policy import ELEVATED, URGENT, WATCH
from models.risk_model import probability
from tests.unit.models.hand_made import artifact
from tests.unit.models.tracks import BOTH, Telling, Track, explained, hits_of, inputs_of, random_days, track_of, unruled

pytestmark = pytest.mark.slow


def scored(track: Track, made: Artifact, household: float = 0.0) -> Track:
    """The same days, scored by the model; the household's part is the same for everybody."""
    made = made.model_copy(update={"sibling": Step(feature=SIBLING, edges=(), values=(household,))})
    telling = Telling(strategies=(BOTH,), models=[Since(0, made.model, made)])
    telling.tell(0, track.days)
    telling.evaluate()
    return Track(telling)


def reasons(
    track: Track, made: Artifact, level: int = ELEVATED, *, by_score: bool = True, household: float = 0.0
) -> tuple[Hit, ...]:
    """Of the last day."""
    return explained(scored(track, made, household), len(track.ordinals), level, by_score=by_score)


def random_track(seed: int) -> Track:
    random = Random(seed)
    return unruled(random_days(random, random.randint(5, 110)))


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_parts_add_up_to_the_score(seed: int) -> None:
    model = artifact(seed % 100).model
    rows = np.array([inputs_of(random_track(seed))], dtype=np.int32)

    parts = model.contributions(rows)

    assert parts.shape == (1, len(FEATURES))
    assert model.intercept + parts.sum() == pytest.approx(model.own(rows)[0], abs=1e-9)
    assert model.score(model.own(rows), np.array([-2.0]))[0] == model.own(rows)[0] + 0.8


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_every_reason_has_dates_among_the_students_days(seed: int) -> None:
    track = random_track(seed)

    found = reasons(track, artifact(seed % 100), household=0.4)

    assert found
    for hit in found:
        assert set(hit.dates) <= set(track.ordinals)
        assert list(hit.dates) == sorted(set(hit.dates))
        assert hit.dates
        assert hit.text.endswith(".")
        assert hit.clears.endswith(".")
        assert "{" not in hit.text
        assert "nan" not in hit.text


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_largest_parts_are_told_with_what_they_do_to_the_odds(seed: int) -> None:
    track, made = random_track(seed), artifact(seed % 100)
    parts = made.model.contributions(np.array([inputs_of(track)], dtype=np.int32))[0]
    largest = {
        f"model_{FEATURES[place].name}": parts[place] for place in np.argsort(-parts)[:MOST] if parts[place] >= LEAST
    }

    found = {hit.rule: hit for hit in reasons(track, made) if hit.rule.startswith("model_")}

    assert found.keys() == largest.keys()
    for name, part in largest.items():
        assert found[name].text.endswith(f"This multiplies the odds by {np.exp(part):.1f}.")
        assert found[name].kind == KIND


def test_the_dates_are_those_that_the_feature_counts() -> None:
    track = track_of("U" + "P" * 30 + "UPUPP")
    made = one_part("unexcused_10", (1.0,), (0.0, 2.0))

    (_, part) = [hit for hit in reasons(track, made) if hit.rule.startswith("model")]

    assert part.rule == "model_unexcused_10"
    assert part.text.startswith("Absent without an excuse on 2 of the last 10 days that count.")
    assert part.dates == (track.ordinals[31], track.ordinals[33])


def test_the_score_is_told_as_a_chance_with_the_usual_one_and_the_caveat() -> None:
    made = one_part("unexcused_10", (1.0,), (0.0, 2.0))

    whole = reasons(track_of("P" * 30 + "UPUPP"), made)[0]

    chance = float(probability(np.array([-3.0 + 2.0]))[0])
    assert whole.rule == "model"
    assert whole.level == ELEVATED
    assert f"{chance:.1%}" in whole.text
    assert "all students: 1.0%" in whole.text
    assert "simulated" in whole.text


def test_the_students_own_usual_is_said() -> None:
    made = one_part("unexcused_rise_20", (1.5,), (0.0, 1.0))

    told = [hit for hit in reasons(track_of("P" * 60 + "UUUUPPPPPP" * 2), made) if hit.rule.startswith("model_")]

    assert "(8) than the student's own usual (1% of days)" in told[0].text


def test_another_childs_score_is_a_reason_without_naming_the_child() -> None:
    track = track_of("P" * 20)

    found = [
        hit for hit in reasons(track, one_part("streak", (1.0,), (0.0, 1.0)), household=0.7) if "sibling" in hit.rule
    ]

    assert len(found) == 1
    assert f"{np.exp(0.7):.1f}" in found[0].text
    assert found[0].dates == (track.ordinals[-1],)


def test_a_household_part_that_lowers_is_no_reason() -> None:
    found = reasons(track_of("P" * 20), artifact(), household=-0.5)

    assert not [hit for hit in found if "sibling" in hit.rule]


def test_rules_held_at_watch_say_why() -> None:
    track = track_of("P" * 40 + "U" * 6)

    found = {hit.rule: hit for hit in reasons(track, artifact(), WATCH, by_score=False)}

    assert found["streak_5"].level == WATCH
    assert "Held at watch" in found["streak_5"].text
    assert "Held" not in found["streak_3"].text
    assert "model" not in found


def test_a_place_by_a_rule_marked_always_tells_the_score_as_watch() -> None:
    found = reasons(track_of("P" * 40 + "U" * 10), artifact(), URGENT, by_score=False)

    assert found[0].rule == "streak_10"
    assert found[0].level == URGENT
    assert next(hit for hit in found if hit.rule == "model").level == WATCH
    assert [hit.level for hit in found] == sorted((hit.level for hit in found), reverse=True)


def test_without_a_capacity_the_rules_alone_are_told() -> None:
    track = scored(track_of("P" * 40 + "U" * 6), artifact())

    found = explained(track, 46, ELEVATED, by_score=False, capped=False)

    assert found == hits_of(track)


def test_a_reason_of_an_earlier_day_knows_no_later_one() -> None:
    whole, then = track_of("P" * 30 + "UUUPPUUUUU"), track_of("P" * 30 + "UUU")
    made = artifact()

    found = explained(scored(whole, made), 33, ELEVATED, by_score=True)

    assert found == reasons(then, made)


def test_words_are_of_dates_that_exist() -> None:
    for hit in reasons(track_of("P" * 40 + "U" * 10), artifact()):
        assert all(date.fromordinal(day).year == 2016 for day in hit.dates)


def one_part(name: str, edges: tuple[float, ...], values: tuple[float, ...]) -> Artifact:
    """A model of a single feature."""
    made = artifact()
    flat = [step.model_copy(update={"edges": (), "values": (0.0,)}) for step in made.steps]
    steps = [
        step.model_copy(update={"edges": edges, "values": values}) if step.feature == name else step for step in flat
    ]
    assert len(INPUTS) > len(edges)
    return made.model_copy(update={"steps": tuple(steps)})
