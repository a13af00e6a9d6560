"""Why a level stands under a model and a capacity: the rules, and what the score is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from models.artifact import Artifact
from models.features import FEATURES, INPUTS, LONG_AGO, Feature, absent_usual, usual
from models.policy import ELEVATED, WATCH
from models.risk_model import probability
from tests.plain.days import Day, shared
from tests.plain.figures import inputs
from tests.plain.rules import Hit
from tests.plain.scores import Score

MOST = 3
LEAST = 0.18


def held(hit: Hit) -> Hit:
    """A rule's reason that the capacity keeps at watch."""
    if hit.level <= WATCH:
        return hit
    return hit._replace(level=WATCH, text=f"{hit.text} Held at watch: the week's places went to higher scores.")


def of_model(told: Sequence[Day], score: Score, artifact: Artifact, *, by_score: bool) -> list[Hit]:
    """What the model says on the last of these days, then the parts that raise the score most."""
    row = np.array([inputs(told)], dtype=np.int32)
    parts = artifact.model.contributions(row)[0]
    words: dict[str, object] = dict(zip(INPUTS, row[0].tolist(), strict=True))
    words["usual"] = f"{usual(row, 'unexcused', LONG_AGO)[0]:.0%}"
    words["usual_absent"] = f"{absent_usual(row)[0]:.0%}"
    words["usual_late"] = f"{usual(row, 'late', LONG_AGO)[0]:.0%}"
    raising = [place for place in np.argsort(-parts)[:MOST] if parts[place] >= LEAST]
    evidence = _evidence(told, FEATURES[raising[0]]) if raising else (told[-1].day,)
    tale = [(float(parts[place]), _part(told, FEATURES[place], float(parts[place]), words)) for place in raising]
    household = score.whole - score.own
    if household >= LEAST:
        tale.append((household, _household(told[-1].day, household)))
    best = sorted(tale, key=lambda part: -part[0])[:MOST]
    level = ELEVATED if by_score else WATCH
    return [_whole(score, artifact, level, words, evidence), *(hit for _, hit in best)]


def _whole(score: Score, artifact: Artifact, level: int, words: dict[str, object], evidence: tuple[date, ...]) -> Hit:
    chance = float(probability(np.array([score.whole]))[0])
    text = (
        f"The model puts the chance that the family is identified within 30 school days at {chance:.1%} "
        f"(all students: {artifact.base_rate:.1%}). {artifact.caveat}".rstrip()
    )
    before = f"Absent on {words['usual_absent']} of days and late on {words['usual_late']}, before the last {LONG_AGO}."
    clears = "A score of about half the odds, for some days."
    return Hit("model", "pattern of attendance", level, text, evidence, before, clears)


def _part(told: Sequence[Day], feature: Feature, log_odds: float, words: dict[str, object]) -> Hit:
    text = f"{feature.words.format(**words)} {_times(log_odds)}"
    dates = _evidence(told, feature)
    return Hit(f"model_{feature.name}", "pattern of attendance", WATCH, text, dates, None, "School days attended.")


def _household(day: date, log_odds: float) -> Hit:
    text = f"Another child of the household has a raised score. {_times(log_odds)}"
    clears = "The other child's days attended."
    return Hit("model_sibling", "pattern of attendance", WATCH, text, (day,), None, clears)


def _times(log_odds: float) -> str:
    return f"This multiplies the odds by {np.exp(log_odds):.1f}."


def _evidence(told: Sequence[Day], feature: Feature) -> tuple[date, ...]:
    """The dates that the feature counts; the last day when it counts none."""
    last = shared(told)[-feature.days :] if feature.days else []
    found = tuple(day.day for day in last if feature.kind and day.kind == feature.kind)
    return found or (told[-1].day,)
