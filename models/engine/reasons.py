"""Why an alert has its level, in plain words: the rules that hold, and what the model's score is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Floats, Ints
from models.artifact import Artifact
from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, TARDY, UNEXCUSED
from models.engine.cohort import Cohort
from models.engine.episodes import Hit, Turn
from models.engine.ledger import Pairs
from models.engine.levels import LevelChange
from models.engine.past import Past, days_of, left_on, past_of
from models.engine.rules import LONG, SHORT, month_range
from models.features import FEATURES, INPUTS, LONG_AGO, Feature, Inputs, absent_usual, usual
from models.policy import ELEVATED, WATCH, Change, Month, Move, RateToDate, Streak, Tardies, _Leveled
from models.risk_model import probability

MOST: Final = 3
"""So many of the score's parts are named, the largest first."""
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


class Wanted(NamedTuple):
    """A level whose reasons are wanted."""

    row: int
    change: LevelChange


Course = tuple[int, Sequence[LevelChange], Sequence[Turn]]
"""A row, the changes of its level, and in words those of the first ones that are known."""


class Score(NamedTuple):
    """What the model says of a day; scores in log-odds."""

    own: float
    whole: float
    """With the household's part."""
    parts: Floats
    """What each feature adds."""
    inputs: Inputs
    """One row."""
    artifact: Artifact


def put_in_words(cohort: Cohort, courses: Sequence[Course], *, capped: bool) -> list[list[Turn]]:
    """The turns of rows' levels.

    `capped`: elevated and urgent are places of a capacity.
    """
    wanted = [Wanted(row, change) for row, changes, known in courses for change in changes[len(known) :]]
    said = iter(explain(cohort, wanted, capped=capped))
    result = []
    for row, changes, known in courses:
        if len(known) == len(changes):
            result.append(list(known))
            continue
        ordinals = days_of(cohort.register, row)
        result.append([*known, *(_turn(cohort, row, ordinals, change, next(said)) for change in changes[len(known) :])])
    return result


def _turn(cohort: Cohort, row: int, ordinals: Ints, change: LevelChange, hits: tuple[Hit, ...]) -> Turn:
    if change.left:
        return Turn(left_on(cohort.register, row, change.position - 1), change.level, hits, left=True)
    return Turn(int(ordinals[change.position - 1]), change.level, hits)


def explain(cohort: Cohort, wanted: Sequence[Wanted], *, capped: bool) -> list[tuple[Hit, ...]]:
    """The reasons of each level, highest first; none of a clearing."""
    asked = [each for each in wanted if each.change.level]
    if not asked:
        return [() for _ in wanted]
    today = cohort.days_at([each.row for each in asked], [each.change.why for each in asked])
    holding = cohort.rules.holding(cohort.ledger, today, cohort.register.assumed[today.school])
    scores = _scores(cohort, today) if capped else [None] * len(asked)
    pasts = {row: past_of(cohort.register, row) for row in {each.row for each in asked}}
    found = []
    for place, each in enumerate(asked):
        past = pasts[each.row].up_to(each.change.why)
        hits = _rule_hits([rule for rule, holds in holding if holds[place]], past, cohort.rules.year)
        found.append(_with_model(hits, past, each.change, scores[place]))
    said = iter(found)
    return [next(said) if each.change.level else () for each in wanted]


def _scores(cohort: Cohort, today: Pairs) -> list[Score | None]:
    inputs = cohort.ledger.inputs(today)
    own, whole = cohort.scores_at(today.row, today.position)
    result: list[Score | None] = [None] * len(inputs)
    artifacts = [cohort.scores.artifact_on(day) for day in today.day.tolist()]
    for artifact in {id(each): each for each in artifacts if each is not None}.values():
        places = [place for place, each in enumerate(artifacts) if each is artifact]
        parts = artifact.model.contributions(inputs[places])
        for place, row in zip(places, parts, strict=True):
            score = Score(float(own[place]), float(whole[place]), row, inputs[place : place + 1], artifact)
            result[place] = score
    return result


def _with_model(hits: tuple[Hit, ...], past: Past, change: LevelChange, score: Score | None) -> tuple[Hit, ...]:
    if score is None:
        return hits
    if change.level < ELEVATED:
        return tuple(_held(hit) if hit.level > WATCH else hit for hit in hits)
    hits += _of_model(past, score, ELEVATED if change.by_score else WATCH)
    return tuple(sorted(hits, key=lambda hit: -hit.level))


def _rule_hits(holding: Sequence[_Leveled], past: Past, year: int) -> tuple[Hit, ...]:
    """Every rule that holds on the past's last day, in plain words."""
    counting = past.counting(LONG)
    usual, of = sum(code == UNEXCUSED for _, code in counting), len(counting)
    return tuple(_hit(rule, past, year, usual, of) for rule in holding)


def _held(hit: Hit) -> Hit:
    return hit._replace(level=WATCH, text=f"{hit.text} Held at watch: the week's places went to higher scores.")


def _hit(rule: _Leveled, past: Past, year: int, usual: int, of: int) -> Hit:
    dates, days = _evidence(rule, past, year)
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
        case Change():
            counting = past.counting(SHORT)
            return tuple(o for o, code in counting if code == UNEXCUSED), len(counting)
    raise TypeError(type(rule))


def _of_model(past: Past, score: Score, level: int) -> tuple[Hit, ...]:
    parts, inputs, artifact = score.parts, score.inputs, score.artifact
    chance = float(probability(np.array([score.whole]))[0])
    raising = [place for place in np.argsort(-parts)[:MOST].tolist() if parts[place] >= LEAST]
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
