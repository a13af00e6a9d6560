"""Why an alert has its level, in plain words: the rules that hold, and what the model's score is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from models.artifact import Artifact
from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engine.cohort import Cohort
from models.engine.episodes import Hit, Turn
from models.engine.ledger import Pairs
from models.engine.levels import LevelChange
from models.engine.past import Past, past_of
from models.engine.rules import LONG, SHORT, Rules, month_range
from models.features import FEATURES, INPUTS, LONG_AGO, Feature, Inputs, absent_usual, usual
from models.policy import ELEVATED, WATCH, Month, Move, RateToDate, Streak, Tardies, _Leveled
from models.risk_model import probability

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


class Score(NamedTuple):
    """A day's score, log-odds."""

    own: float
    whole: float
    """With the household's part."""


def put_in_words(
    cohort: Cohort, row: int, changes: Sequence[LevelChange], known: Sequence[Turn], *, capped: bool
) -> list[Turn]:
    """The turns of a row's levels; the first ones are `known`. `capped`: elevated and urgent are places."""
    turns = list(known)
    if len(turns) < len(changes):
        ordinals = past_of(cohort.register, row).ordinals
        days = cohort.days_of(row)
        for change in changes[len(turns) :]:
            hits = explain(cohort, row, change, days, capped=capped)
            turns.append(Turn(ordinals[change.position - 1], change.level, hits))
    return turns


def explain(cohort: Cohort, row: int, change: LevelChange, days: Pairs, *, capped: bool) -> tuple[Hit, ...]:
    """The reasons of a level, highest first; none of a clearing. `days` are all of the row's."""
    if not change.level:
        return ()
    past = past_of(cohort.register, row, change.why)
    today = days.at(days.position == change.why)
    hits = rule_hits(cohort, past, today)
    artifact = cohort.scores.artifact_on(past.ordinals[-1]) if capped else None
    if artifact is None:
        return hits
    if change.level < ELEVATED:
        return tuple(_held(hit) if hit.level > WATCH else hit for hit in hits)
    score = Score(*cohort.score(row, change.why))
    inputs = cohort.ledger.inputs(today)
    hits += _of_model(past, inputs, score, artifact, ELEVATED if change.by_score else WATCH)
    return tuple(sorted(hits, key=lambda hit: -hit.level))


def rule_hits(cohort: Cohort, past: Past, today: Pairs) -> tuple[Hit, ...]:
    """Every rule that holds on the past's last day, highest level first, in plain words."""
    holding = cohort.rules.holding(cohort.ledger, today, cohort.register.assumed[today.school])
    return tuple(_hit(rule, past, cohort.rules) for rule in holding)


def _held(hit: Hit) -> Hit:
    return hit._replace(level=WATCH, text=f"{hit.text} Held at watch: the week's places went to higher scores.")


def _hit(rule: _Leveled, past: Past, rules: Rules) -> Hit:
    dates, days = _evidence(rule, past, rules.year)
    counting = past.counting(LONG)
    usual, of = sum(code == UNEXCUSED for _, code in counting), len(counting)
    usual_text = f"{_percent(usual, of)} of days, over the last {of} that count" if of else None
    text = rule.text.format(
        count=len(dates),
        days=days,
        rate=_percent(len(dates), days),
        usual=_percent(usual, of),
        first=_spoken(dates[0]),
        last=_spoken(dates[-1]),
    )
    return Hit(rule.id, rule.reason, rule.rank, text, dates, usual_text, rule.clears)


def _evidence(rule: _Leveled, past: Past, year: int) -> tuple[tuple[int, ...], int]:
    """The dates that made the rule hold, and of how many days."""
    ordinals = past.ordinals
    ruled = list(zip(ordinals, past.ruled, strict=True))
    match rule:
        case Streak():
            absences = [o for o, code in ruled if code == UNEXCUSED]
            return tuple(absences[-past.streak :]), past.streak
        case RateToDate():
            pairs = zip(ordinals, past.shown, strict=True)
            return tuple(o for o, code in pairs if code in (EXCUSED, UNEXCUSED)), len(ordinals)
        case Month():
            first, last, _ = month_range(rule, year)
            dates = tuple(o for o, code in ruled if code == UNEXCUSED and first <= o <= last)
            return dates, len(dates)
        case Tardies(days=days):
            return tuple(o for o, code in ruled[-days:] if code == TARDY), min(days, len(ordinals))
        case Move(days=days):
            return tuple(o for o, code in ruled[-days:] if code == UNEXCUSED), min(days, len(ordinals))
    counting = past.counting(SHORT)
    return tuple(o for o, code in counting if code == UNEXCUSED), len(counting)


def _of_model(past: Past, inputs: Inputs, score: Score, artifact: Artifact, level: int) -> tuple[Hit, ...]:
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
        _evidence_of(past, FEATURES[raising[0]]) if raising else (past.ordinals[-1],),
        f"Absent on {words['usual_absent']} of days and late on {words['usual_late']}, before the last {LONG_AGO}.",
        "A score of about half the odds, for some days.",
    )
    told = [(parts[place], _part(past, FEATURES[place], float(parts[place]), words)) for place in raising]
    household = score.whole - score.own
    if household >= LEAST:
        told.append((household, _household(past, household)))
    return (whole, *(hit for _, hit in sorted(told, key=lambda part: -part[0])[:MOST]))


def _household(past: Past, log_odds: float) -> Hit:
    text = f"Another child of the household has a raised score. This multiplies the odds by {np.exp(log_odds):.1f}."
    return Hit("model_sibling", KIND, WATCH, text, (past.ordinals[-1],), None, "The other child's days attended.")


def _part(past: Past, feature: Feature, log_odds: float, words: dict[str, object]) -> Hit:
    text = f"{feature.words.format(**words)} This multiplies the odds by {np.exp(log_odds):.1f}."
    return Hit(f"model_{feature.name}", KIND, WATCH, text, _evidence_of(past, feature), None, "School days attended.")


def _evidence_of(past: Past, feature: Feature) -> tuple[int, ...]:
    """The dates that the feature counts; the last day when it counts none."""
    codes = _CODES.get(feature.kind, ())
    days = zip(past.ordinals[-feature.days :], past.ruled[-feature.days :], strict=True) if feature.days else ()
    return tuple(ordinal for ordinal, code in days if code in codes) or (past.ordinals[-1],)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "unknown"


def _spoken(ordinal: int) -> str:
    when = date.fromordinal(ordinal)
    return f"{when.day} {when:%b}"
