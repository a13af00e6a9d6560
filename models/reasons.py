"""Why an alert has its level, in plain words: the rules that hold, and what the model's score is made of."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from models.artifact import Artifact
from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.capacity import Thresholds
from models.features import FEATURES, INPUTS, LONG_AGO, Feature, absent_usual, inputs_of, usual
from models.policy import ELEVATED, WATCH
from models.risk_model import probability
from models.rules import Rules
from models.track import Hit, Track

MOST: Final = 3
"""So many of the score's parts are told, the largest first."""
LEAST: Final = 0.18
"""Log-odds below which a part is not worth telling: it multiplies the odds by less than 1.2."""
KIND: Final = "pattern of attendance"
"""All that a mail may say of a score."""
_CODES: Final = {
    "unexcused": (UNEXCUSED,),
    "excused": (EXCUSED,),
    "late": (TARDY,),
    "left": (EARLY_DEPARTURE, PARTIAL),
}


class Risk(NamedTuple):
    """The model in use, and the thresholds of a capacity; None when the rules' levels hold."""

    artifact: Artifact
    thresholds: Thresholds | None


class Score(NamedTuple):
    """A day's score, log-odds."""

    own: float
    whole: float
    """With the household's part."""


def explain(
    track: Track, position: int, level: int, rules: Rules, risk: Risk | None, *, by_score: bool
) -> tuple[Hit, ...]:
    """The reasons of a level on the day at this position, highest first; ``by_score`: the score gives it a place."""
    then = track.up_to(position + 1)
    hits = rules.hits(then)
    if risk is None or risk.thresholds is None:
        return hits
    if level < ELEVATED:
        return tuple(_held(hit) if hit.level > WATCH else hit for hit in hits)
    score = Score(track.own[position], track.logits[position])
    hits += _of_model(then, score, risk.artifact, ELEVATED if by_score else WATCH)
    return tuple(sorted(hits, key=lambda hit: -hit.level))


def _held(hit: Hit) -> Hit:
    return hit._replace(level=WATCH, text=f"{hit.text} Held at watch: the week's places went to higher scores.")


def _of_model(track: Track, score: Score, artifact: Artifact, level: int) -> tuple[Hit, ...]:
    inputs = np.array([inputs_of(track)], dtype=np.int32)
    parts = artifact.model.contributions(inputs)[0]
    chance = float(probability(np.array([score.whole]))[0])
    raising = [place for place in np.argsort(-parts)[:MOST] if parts[place] >= LEAST]
    values = dict(zip(INPUTS, map(int, inputs[0]), strict=True))
    words: dict[str, object] = {
        **values,
        "usual": f"{usual(inputs, 'unexcused', LONG_AGO)[0]:.0%}",
        "usual_absent": f"{absent_usual(inputs)[0]:.0%}",
        "usual_late": f"{usual(inputs, 'late', LONG_AGO)[0]:.0%}",
    }
    whole = Hit(
        "model",
        KIND,
        level,
        f"The model puts the chance that the family is identified within 30 school days at {chance:.1%} "
        f"(all students: {artifact.base_rate:.1%}). {artifact.caveat}".rstrip(),
        _evidence(track, FEATURES[raising[0]]) if raising else (track.ordinals[-1],),
        f"Absent on {words['usual_absent']} of days and late on {words['usual_late']}, before the last {LONG_AGO}.",
        "A score of about half the odds, for some days.",
    )
    told = [(parts[place], _part(track, FEATURES[place], float(parts[place]), words)) for place in raising]
    household = score.whole - score.own
    if household >= LEAST:
        told.append((household, _household(track, household)))
    return (whole, *(hit for _, hit in sorted(told, key=lambda part: -part[0])[:MOST]))


def _household(track: Track, log_odds: float) -> Hit:
    text = f"Another child of the household has a raised score. This multiplies the odds by {np.exp(log_odds):.1f}."
    return Hit("model_sibling", KIND, WATCH, text, (track.ordinals[-1],), None, "The other child's days attended.")


def _part(track: Track, feature: Feature, log_odds: float, words: dict[str, object]) -> Hit:
    text = f"{feature.words.format(**words)} This multiplies the odds by {np.exp(log_odds):.1f}."
    return Hit(f"model_{feature.name}", KIND, WATCH, text, _evidence(track, feature), None, "School days attended.")


def _evidence(track: Track, feature: Feature) -> tuple[int, ...]:
    """The dates that the feature counts; the last day when it counts none."""
    codes = _CODES.get(feature.kind, ())
    days = zip(track.ordinals[-feature.days :], track.ruled[-feature.days :], strict=True) if feature.days else ()
    return tuple(ordinal for ordinal, code in days if code in codes) or (track.ordinals[-1],)
