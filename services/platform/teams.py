"""Who works with alerts: the teams file, validated. Who is mailed, who receives referrals, who is away."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.contracts.alerts import Level
from services.contracts.cases import ReferredTo
from services.platform.day_hours import DayHours
from services.platform.settings import Settings, SettingsError

Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def _repeated(values: list[str]) -> bool:
    return any(count > 1 for count in Counter(values).values())


def _hours(given: str) -> str:
    DayHours.parse(given)
    return given


Hours = Annotated[str, AfterValidator(_hours)]


class Team(BaseModel):
    """People who are notified together, from `lowest_level` up."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    agency: Name = "project-hope"
    """Whose people they are: they hear of no other agency's alerts."""
    recipients: list[Address] = Field(min_length=1)
    lowest_level: Level = "watch"
    supervisors: list[Address] = Field(default_factory=list)
    """Who hears of cases that nobody takes."""
    quiet_hours: Hours | None = None
    """`21:00-07:00`: what comes then waits for the end of them."""
    urgent_in_quiet_hours: bool = True
    """Urgent mails come at once."""


class SchoolTeam(Team):
    """The team of these schools."""

    schools: list[Name] = Field(min_length=1)


Subject = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
Away = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d$")]


class TeamPerson(BaseModel):
    """Somebody of a team: by the address in what is mailed, by the subject of their tokens in the console."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject: Subject | None = None
    address: Address | None = None
    quiet_hours: Hours | None = None
    urgent_in_quiet_hours: bool = True
    away: list[Away] = Field(default_factory=list)
    """Days from one to another, both inclusive: `2016-12-20..2017-01-02`."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.subject is None and self.address is None:
            raise ValueError("a person needs a subject or an address")
        for first, last in self._spans():
            if first > last:
                raise ValueError("a span of `away` ends before it begins")
        return self

    def is_away(self, day: date) -> bool:
        """Whether they are away on the day."""
        return any(first <= day <= last for first, last in self._spans())

    def _spans(self) -> list[tuple[date, date]]:
        ends = (span.split("..") for span in self.away)
        return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in ends]


class Teams(BaseModel):
    """The teams file: `[[teams]]` of some schools each, and the `[default]` of all others of its agency.

    `[[people]]` says who is away, and `[referrals]` who receives which; a referral of which it says nothing is for any
    colleague, that to the liaison for the data steward, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    default: Team
    teams: list[SchoolTeam] = Field(default_factory=list)
    people: list[TeamPerson] = Field(default_factory=list)
    referrals: Mapping[ReferredTo, Subject] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_doubt(self) -> Self:
        if _repeated([self.default.name, *(team.name for team in self.teams)]):
            raise ValueError("two teams have the same name")
        if _repeated([f"{team.agency} {school}" for team in self.teams for school in team.schools]):
            raise ValueError("a school is in two teams of one agency")
        for names in ([one.subject for one in self.people], [one.address for one in self.people]):
            if _repeated([name for name in names if name is not None]):
                raise ValueError("two people have the same subject or address")
        return self

    def supervisors_of(self, team: Team) -> list[Address]:
        """Who hears of the team's cases that nobody takes: its own supervisors, else those of the agency's default."""
        shared = self.default.supervisors if self.default.agency == team.agency else []
        return team.supervisors or shared

    def is_away(self, subject: str, day: date) -> bool:
        """Whether somebody is away on a day; of whom the file says nothing is there."""
        return any(person.subject == subject and person.is_away(day) for person in self.people)

    def named(self, name: str) -> Team | None:
        """The team of this name; None when it is not in the file any more."""
        return next((team for team in (self.default, *self.teams) if team.name == name), None)

    def of(self, agency: str | None, school_id: str) -> Team | None:
        """The agency's team for the school, or the default one; None when the file names nobody of the agency.

        Without an agency, in events from before there were several, it is the default team's.
        """
        whose = agency or self.default.agency
        mine = (team for team in self.teams if team.agency == whose and school_id in team.schools)
        return next(mine, self.default if self.default.agency == whose else None)


EMBEDDED: Final = Teams(
    default=Team(
        name="Project Hope",
        recipients=["caseworker@project-hope.example"],
        supervisors=["supervisor@project-hope.example"],
    )
)
"""Used without a teams file: everything goes to one recipient, whose mails the embedded sink keeps."""


def load_teams(settings: Settings) -> Teams:
    """The teams; raises `SettingsError` with the place in the file when it cannot be used."""
    path = settings.teams_file or settings.data_dir / "teams.toml"
    if not path.exists():
        if settings.teams_file is None:
            return EMBEDDED
        raise SettingsError(f"FIRSTBELL_TEAMS_FILE: there is no file {path}. See examples/teams.toml.")
    return parse_teams(path)


def parse_teams(path: Path) -> Teams:
    """Read a teams file; raises `SettingsError` with every place that is wrong."""
    try:
        return Teams.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The teams file {path} is not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc']) or 'the file'}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"The teams file {path} is not valid: {wrong}. See examples/teams.toml.") from None
