"""What a walk through a history leaves to be measured. Days are positions in the year's instructional days."""

from __future__ import annotations

from dataclasses import dataclass

from models.arrays import Codes, Flags, Floats, Ints

HORIZON_DAYS = 30
"""Instructional days within which an identification makes an alert right (`docs/model-card.md`)."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The students of a history, and who was identified when."""

    dates: Ints
    """Ordinals of the year's instructional days (any school open), ascending; all other days are positions here."""
    week_ends: Ints
    """The last instructional day of each week that has one."""
    household: Ints
    """Per student."""
    groups: dict[str, tuple[str, ...]]
    """Per group, each student's value; empty when unknown."""
    identified_student: Ints
    identified_day: Ints
    """The first instructional day on or after the identification; rows by student, then day."""


@dataclass(frozen=True, slots=True)
class Raised:
    """New alerts of one strategy: a student entered elevated or urgent from below. Rows by day."""

    student: Ints
    day: Ints
    shock: Flags
    """Whether the day was a shock day at the student's school."""


@dataclass(frozen=True, slots=True)
class LevelChanges:
    """Every level change of one strategy, by day; level 0 is the end of an alert."""

    student: Ints
    day: Ints
    level: Codes
    """0 cleared, 1 watch, 2 elevated, 3 urgent."""
    source: Codes
    """Bits: 1 rule, 2 model; on an end, of what has ended."""


@dataclass(frozen=True, slots=True)
class WeekEnds:
    """Every consented and enrolled student at the end of each week, by day."""

    student: Ints
    day: Ints
    score: Floats
    """Calibrated probability 0-1; NaN without a model."""
    rate: Floats
    """Absence rate of the year to date, any reason, 0-1."""
    days: Ints
    """Enrolled days so far."""
    absences_20: Ints
    """Absences for any reason in the last 20 days."""
    streak: Ints
    """Unexcused absences in a row."""
    rule_level: Codes
    """The level of the rules alone, household rule included: 0 none to 3 urgent."""
    shock: Flags
    """Whether the day was a shock day at the student's school."""
