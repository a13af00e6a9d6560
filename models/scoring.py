"""Brings students up to date: their days, the model's scores of them, household by household, and their levels."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.episodes import decide
from models.reasons import Risk
from models.risk_model import NO_SIBLING, RiskModel
from models.rules import Rules
from models.school import School
from models.student_year import StudentYear
from models.track import Track


class Member(NamedTuple):
    """A student, and the siblings whose consent is in force."""

    year: StudentYear
    rules: Rules
    siblings: Sequence[StudentYear]


def bring_up(members: Sequence[Member], schools: Mapping[str, School], risk: Risk | None) -> list[Track]:
    """The members' tracks, all scored and decided. With a model, siblings must be members as well."""
    found = [member.year.brought_up(schools, member.rules, scored=risk is not None) for member in members]
    if risk is not None:
        _score(members, found, risk.artifact.model)
    for track, member in zip(found, members, strict=True):
        if track.decided < len(track.ordinals):
            decide(track, member.rules, risk)
    return found


def _score(members: Sequence[Member], found: Sequence[Track], model: RiskModel) -> None:
    waiting = [track for track in found if track.waiting]
    if waiting:
        rows = [row for track in waiting for row in track.waiting]
        own = iter(model.own(np.array(rows, dtype=np.int32)).tolist())
        since = {}
        for track in waiting:
            since[id(track)] = track.ordinals[len(track.own)]
            track.own.extend(next(own) for _ in track.waiting)
            track.waiting.clear()
        _forget_siblings(members, found, since)
    _add_household(members, found, model)


def _forget_siblings(members: Sequence[Member], found: Sequence[Track], since: Mapping[int, int]) -> None:
    """A sibling's days after the first that is new count that one in: they are scored again."""
    tracks = {id(member.year): track for member, track in zip(members, found, strict=True)}
    for member, track in zip(members, found, strict=True):
        changed = [since[key] for s in member.siblings if (key := id(tracks[id(s)])) in since]
        if changed:
            track.unscore(min(bisect_right(track.ordinals, min(changed)), len(track.logits)))


def _add_household(members: Sequence[Member], found: Sequence[Track], model: RiskModel) -> None:
    lacking = [pair for pair in zip(members, found, strict=True) if len(pair[1].logits) < len(pair[1].own)]
    if not lacking:
        return
    tracks = {id(member.year): track for member, track in zip(members, found, strict=True)}
    own: list[float] = []
    sibling: list[float] = []
    for member, track in lacking:
        siblings = [tracks[id(year)] for year in member.siblings]
        for position in range(len(track.logits), len(track.own)):
            own.append(track.own[position])
            sibling.append(_highest(siblings, track.ordinals[position]))
    scores = iter(model.score(np.array(own), np.array(sibling)).tolist())
    for _, track in lacking:
        track.logits.extend(next(scores) for _ in range(len(track.logits), len(track.own)))


def _highest(siblings: Sequence[Track], ordinal: int) -> float:
    """The highest own score of a sibling on its last day before this one."""
    days = ((track, bisect_left(track.ordinals, ordinal)) for track in siblings)
    return max((track.own[count - 1] for track, count in days if count), default=NO_SIBLING)
