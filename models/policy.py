"""The rules as data: a versioned policy, validated, with a clear error for what is wrong in it."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from importlib.resources import files
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.shock import ShockRule

PolicyT = TypeVar("PolicyT", bound=BaseModel)

LevelName = Literal["watch", "elevated", "urgent"]
LEVEL_NAMES: tuple[LevelName, ...] = ("watch", "elevated", "urgent")
NONE, WATCH, ELEVATED, URGENT = range(4)
"""Levels as numbers: 0 is no alert."""
LONGEST: Final = 250
"""The longest window, in counted days: the engine keeps its totals in bytes."""

_SAMPLE = {"count": 3, "days": 10, "rate": "30%", "usual": "5%", "first": "1 May", "last": "3 May"}


class PolicyError(Exception):
    """The policy cannot be used; the message names the rule and field."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    reason: str = Field(min_length=1, max_length=60)
    """The kind of reason, all that a mail may say."""
    text: str
    clears: str

    @field_validator("text", "clears")
    @classmethod
    def _fills(cls, template: str) -> str:
        try:
            template.format(**_SAMPLE)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"may use only {', '.join(f'{{{name}}}' for name in _SAMPLE)}") from error
        return template


class _Leveled(_Rule):
    level: LevelName
    always: bool = False
    """No capacity may hold it back."""

    @property
    def rank(self) -> int:
        """The level as a number."""
        return LEVEL_NAMES.index(self.level) + 1


class Streak(_Leveled):
    """Unexcused absences in a row; an excused or shock day neither breaks nor extends it."""

    kind: Literal["streak"]
    days: int = Field(ge=1)


class RateToDate(_Leveled):
    """Absences for any reason by enrolled days of the school year, inclusive."""

    kind: Literal["rate_to_date"]
    rate: Fraction = Field(gt=0, le=1)
    min_days: int = Field(ge=1)


class Change(_Leveled):
    """The rate of the last ten days above the student's own of the last 45; excused and shock days are passed over."""

    kind: Literal["change"]
    points: Fraction = Field(gt=0, le=1)
    min_days: int = Field(ge=1, le=10)
    """At least so many days must count."""


class Month(_Leveled):
    """Unexcused absences in one calendar month, said until the end of another."""

    kind: Literal["month"]
    month: int = Field(ge=1, le=12)
    until_month: int = Field(ge=1, le=12)
    count: int = Field(ge=1)


class Tardies(_Leveled):
    """Late arrivals in the last days."""

    kind: Literal["tardies"]
    count: int = Field(ge=1)
    days: int = Field(ge=1, le=LONGEST)


class Move(_Leveled):
    """A change of school within the school year, and unexcused absences in the last days."""

    kind: Literal["move"]
    count: int = Field(ge=1)
    days: int = Field(ge=1, le=LONGEST)


class Household(_Rule):
    """One level up when two children of a household turn bad within so many calendar days."""

    kind: Literal["household"]
    days: int = Field(ge=0)


Rule = Annotated[Streak | RateToDate | Change | Month | Tardies | Move | Household, Field(discriminator="kind")]


class Policy(BaseModel):
    """A version of the rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    calm_days: int = Field(ge=1)
    shock: ShockRule
    rules: tuple[Rule, ...]

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if len({rule.id for rule in rules}) < len(rules):
            raise ValueError("every rule needs an id of its own")
        return rules


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; raises `PolicyError`."""
    return parsed(text, Policy)


def parsed(text: str, kind: type[PolicyT]) -> PolicyT:
    """Read a policy of this kind from TOML; raises `PolicyError`."""
    try:
        return kind.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy is not TOML: {error}") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PolicyError(f"The policy is not valid: {places}") from error


def default_policy() -> Policy:
    """The policy that ships with First Bell."""
    return parse_policy(files("models").joinpath("policies/default.toml").read_text(encoding="utf-8"))
