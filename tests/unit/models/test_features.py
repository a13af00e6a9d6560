"""The model's inputs and columns say what the days say, and nothing of who the student is."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.ledger import Ledger, Pairs
from models.engine.register import Days
from models.features import FEATURES, INPUTS, NAMES, NO_MOVE, WINDOWS, Inputs, features, usual
from tests.unit.models.hand_made import model
from tests.unit.models.tracks import days_of, inputs_of, unruled

WORDS_OF_A_PERSON = (
    "gender",
    "sex",
    "race",
    "ethnic",
    "hispanic",
    "language",
    "english",
    "esl",
    "ell",
    "disab",
    "special",
    "iep",
    "lunch",
    "poverty",
    "income",
    "age",
    "birth",
    "name",
    "grade",
    "student",
    "zip",
    "address",
    "country",
    "immigrant",
    "religion",
    "homeless",
    "household",
)
SAID = {"usual": "5%", "usual_absent": "8%", "usual_late": "3%"}
"""What a sentence may use beside the inputs."""
KINDS = {"unexcused": "U", "excused": "E", "late": "T", "left": "DQ"}
strings = st.text("PPPPTDQEUUptdqeu>", min_size=1, max_size=120).filter(lambda kinds: kinds.strip(">"))


def counted(kinds: str) -> dict[str, int]:
    """Every input by plain counting."""
    letters = kinds.replace(">", "")
    found = {"days": len(letters)}
    for kind, codes in KINDS.items():
        for window in WINDOWS:
            found[f"{kind}_{window}"] = sum(letter in codes for letter in letters[-window:])
        found[f"{kind}_year"] = sum(letter in codes for letter in letters)
    counting = [letter for letter in letters if letter.isupper() and letter != "E"]
    found["streak"] = 0
    while found["streak"] < len(counting) and counting[-1 - found["streak"]] == "U":
        found["streak"] += 1
    moved = [len(kinds[:place].replace(">", "")) for place, kind in enumerate(kinds) if kind == ">"]
    moved = [position for position in moved if 0 < position < len(letters)]
    found["since_move"] = min(len(letters) - 1 - moved[-1], NO_MOVE) if moved else NO_MOVE
    return found


@given(strings)
def test_inputs_are_what_plain_counting_gives(kinds: str) -> None:
    found = dict(zip(INPUTS, inputs_of(unruled(days_of(kinds))), strict=True))

    assert found == counted(kinds)


def test_a_shock_day_is_no_day_of_any_kind() -> None:
    found = dict(zip(INPUTS, inputs_of(unruled(days_of("PuetdqP"))), strict=True))

    assert found == counted("PPPPPPP")


@pytest.mark.parametrize("word", WORDS_OF_A_PERSON)
def test_no_feature_is_of_who_the_student_is(word: str) -> None:
    parts = {part for name in (*NAMES, *INPUTS) for part in name.lower().split("_")}

    assert not any(part.startswith(word) for part in parts)


def test_the_lists_of_features_and_inputs_are_these() -> None:
    """Another name must be judged before it is added here: is it of the window alone?"""
    kinds = "unexcused|excused|absent|late|left"
    allowed = rf"days|streak|since_move|({kinds})_(\d+|year|usual|rate|rise_\d+|\d+_to_\d+)"

    assert all(re.fullmatch(allowed, name) for name in (*NAMES, *INPUTS))
    assert len(set(NAMES)) == len(NAMES) == len(FEATURES)
    assert len(set(INPUTS)) == len(INPUTS)


def test_inputs_come_from_the_days_alone() -> None:
    days = {"kept", "school"}  # a byte each (code, shock, step), and where
    totals = {"totals", "ordinary", "streak", "returned", "aside", "moved_at", "months"}
    assert inspect.get_annotations(Ledger.inputs, eval_str=True) == {"pairs": Pairs, "return": Inputs}
    assert set(Days._fields) == days
    assert inspect.signature(Ledger.fold).parameters.keys() == {"self", "rows", *days, "days", "since", "anew"}
    assert set(Pairs._fields) == {"row", "position", "column", "day", "shock", "step", "school", *totals}


def test_which_school_a_student_goes_to_is_not_seen() -> None:
    days = days_of("PUP>PUPU")
    elsewhere = [day._replace(school=f"other {day.school}") for day in days]

    assert inputs_of(unruled(days)) == inputs_of(unruled(elsewhere))


@given(strings)
def test_every_feature_is_a_finite_number_and_its_words_can_be_said(kinds: str) -> None:
    inputs = np.array([inputs_of(unruled(days_of(kinds)))], dtype=np.int32)
    words = dict(zip(INPUTS, inputs[0].tolist(), strict=True)) | SAID

    assert all(column.shape == (1,) and np.isfinite(column).all() for column in features(inputs))
    for feature in FEATURES:
        said = feature.words.format(**words)
        assert said.endswith(".")
        assert "{" not in said


def test_the_words_of_a_feature_tell_its_own_count() -> None:
    words = {name: 1000 + place for place, name in enumerate(INPUTS)} | SAID

    for feature in FEATURES:
        if feature.name in INPUTS:
            assert str(words[feature.name]) in feature.words.format(**words), feature.name


def test_an_unknown_student_is_as_usual_as_everybody() -> None:
    inputs = np.zeros((1, len(INPUTS)), dtype=np.int32)

    assert usual(inputs, "unexcused", 20)[0] == pytest.approx(0.05)


def test_the_usual_is_of_the_days_before_the_last_ones() -> None:
    before, after = ("P" * 60 + "U" * 20, "U" * 10 + "P" * 70)
    inputs = np.array([inputs_of(unruled(days_of(kinds))) for kinds in (before, after)], dtype=np.int32)

    assert usual(inputs, "unexcused", 20).tolist() == pytest.approx([1 / 80, 11 / 80])


def test_signs_say_what_is_worse() -> None:
    """More days without an excuse, more lateness and longer streaks never lower what may only rise."""
    rises = {feature.name: feature.rises for feature in FEATURES}

    assert all(rises[f"unexcused_{n}"] == 1 for n in (5, 10, 20, 45))
    assert all(rises[f"late_{n}"] == 1 for n in (10, 20, 45))
    assert rises["streak"] == 1
    assert rises["since_move"] == -1
    assert set(rises.values()) <= {-1, 0, 1}


@given(strings, st.integers(0, 200))
def test_one_more_absence_moves_rising_features_up_alone(kinds: str, place: int) -> None:
    letters = kinds.replace(">", "").upper().replace("U", "P")
    place %= len(letters)
    worse = letters[:place] + "U" + letters[place + 1 :]
    rows = np.array([inputs_of(unruled(days_of(each))) for each in (letters, worse)], dtype=np.int32)

    for feature, column in zip(FEATURES, features(rows), strict=True):
        if feature.rises > 0 and feature.kind == "unexcused" and "rise" not in feature.name:
            assert column[1] >= column[0], feature.name


def test_a_model_made_with_these_signs_never_scores_more_days_away_lower() -> None:
    made = model(3)

    for feature, steps in zip(FEATURES, made.steps, strict=True):
        if feature.rises:
            assert (np.diff(steps.values) * feature.rises >= 0).all()
