"""The thresholds of engagement as data: a versioned policy, each with its source."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cached_property
from importlib.resources import files
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.policy import parsed

_NO_WORD: Final = re.compile(r"[\W_]+")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Threshold(_Strict):
    threshold: str
    """In words, for who is shown what comes of it."""
    source: str = Field(min_length=1)

    says: ClassVar[dict[str, str]]
    """By text: what it may use in braces."""

    @property
    def words(self) -> str:
        """The threshold, with its figures."""
        return self.threshold

    @model_validator(mode="after")
    def _fill(self) -> Self:
        for field, names in self.says.items():
            try:
                str(getattr(self, field)).format(**dict.fromkeys(names.split(), ""))
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(f"{field} may use only {{{'}, {'.join(names.split())}}}") from error
        return self


class AttendanceThresholds(_Threshold):
    """Rates are shares (0-1) of the enrolled days of the school year that the school has reported."""

    off_track_below: Fraction = Field(gt=0, lt=1)
    sliding_below: Fraction = Field(gt=0, lt=1)
    min_days: int = Field(ge=1)
    text: str
    goal: str
    out_of_reach: str

    says: ClassVar = {
        "threshold": "off_track sliding min_days",
        "text": "absent days rate",
        "goal": "more goal",
        "out_of_reach": "more goal",
    }

    @model_validator(mode="after")
    def _in_order(self) -> AttendanceThresholds:
        if self.off_track_below > self.sliding_below:
            raise ValueError("off_track_below is above sliding_below")
        return self

    @property
    def words(self) -> str:
        """The threshold, with its figures."""
        off, sliding = percent(self.off_track_below), percent(self.sliding_below)
        return self.threshold.format(off_track=off, sliding=sliding, min_days=self.min_days)


class BehaviourThresholds(_Threshold):
    """Any suspension of the school year."""

    text: str
    clears: str

    says: ClassVar = {"text": "times last"}


class ScaleSteps(_Strict):
    """On one scale: below what a mark fails, and how much of it is a full letter."""

    failing_below: Fraction = Field(gt=0)
    full_letter: Fraction = Field(gt=0)


class LetterScale(ScaleSteps):
    """Letters in points."""

    points: dict[str, int]
    sign: Fraction
    """What a plus adds and a minus takes."""
    bands: dict[str, Fraction]
    """By letter: the share of a scale (0-1) from which a number is it."""

    @model_validator(mode="after")
    def _of_letters(self) -> LetterScale:
        if any(self.points_of(letter) is None for letter in self.bands) or min(self.bands.values(), default=1) > 0:
            raise ValueError("bands must name letters that have points, one of them from 0 on")
        return self

    def points_of(self, mark: str) -> Fraction | None:
        """The points of a letter with its sign; None for what is no letter with points."""
        points = self.points.get(mark.rstrip("+-"))
        return None if points is None else points + self.sign * (mark.endswith("+") - mark.endswith("-"))

    def points_of_share(self, share: Fraction) -> Fraction:
        """The points of the letter in whose band the share (0-1) lies."""
        letter = max((floor, letter) for letter, floor in self.bands.items() if floor <= share)[1]
        return self.points_of(letter) or Fraction(0)


class GradePointScale(ScaleSteps):
    """Numbers of a scale that ends at `up_to` or below, in grade points."""

    up_to: Fraction


class CourseThresholds(_Threshold):
    """Marks of courses; which subjects are core, under all their spellings."""

    failed: str
    failed_clears: str
    unknown: str
    down: str
    down_clears: str
    letters: LetterScale
    shares: ScaleSteps
    grade_points: GradePointScale
    core: dict[str, tuple[str, ...]]

    says: ClassVar = {
        "threshold": "core failing full",
        **dict.fromkeys(
            ("failed", "failed_clears", "unknown", "down", "down_clears"), "course mark term before before_term"
        ),
    }

    @property
    def words(self) -> str:
        """The threshold, with its figures."""
        shares = {"failing": percent(self.shares.failing_below), "full": percent(self.shares.full_letter)}
        return self.threshold.format(core=", ".join(self.core), **shares)

    def core_subject(self, subject: str | None) -> str | None:
        """The core subject that a district's spelling means; None for another one, or when it is not known."""
        return self._spellings.get(_plain(subject)) if subject else None

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {_plain(spelling): name for name, spellings in self.core.items() for spelling in spellings}


class EngagementPolicy(_Strict):
    """A version of the thresholds."""

    version: str
    attendance: AttendanceThresholds
    behaviour: BehaviourThresholds
    courses: CourseThresholds


def percent(share: Fraction) -> str:
    """A share (0-1) in per cent, rounded down to a tenth: what is below a threshold never reads as if it were on it."""
    tenths = int(share * 1000)
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"


def parse_engagement_policy(text: str) -> EngagementPolicy:
    """Read a policy from TOML; raises `PolicyError`."""
    return parsed(text, EngagementPolicy)


def engagement_policy() -> EngagementPolicy:
    """The policy that ships with First Bell."""
    return parse_engagement_policy(files("models").joinpath("policies/engagement.toml").read_text(encoding="utf-8"))


def _plain(subject: str) -> str:
    return _NO_WORD.sub(" ", subject.casefold().replace("&", " and ")).strip()
