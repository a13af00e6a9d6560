"""Who is notified: the teams file, validated, and the team of a school."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.contracts.alerts import Level
from services.notify.settings import NotifySettings
from services.platform.settings import SettingsError

Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def _repeated(values: list[str]) -> bool:
    return any(count > 1 for count in Counter(values).values())


class Team(BaseModel):
    """People who are notified together, from `lowest_level` up."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    agency: Name = "project-hope"
    """Whose people they are: they hear of no other agency's alerts."""
    recipients: list[Address] = Field(min_length=1)
    lowest_level: Level = "watch"


class SchoolTeam(Team):
    """The team of these schools."""

    schools: list[Name] = Field(min_length=1)


class Teams(BaseModel):
    """The teams file: `[[teams]]` of some schools each, and the `[default]` of all others of its agency."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    default: Team
    teams: list[SchoolTeam] = Field(default_factory=list)

    @model_validator(mode="after")
    def _no_doubt(self) -> Self:
        if _repeated([self.default.name, *(team.name for team in self.teams)]):
            raise ValueError("two teams have the same name")
        if _repeated([f"{team.agency} {school}" for team in self.teams for school in team.schools]):
            raise ValueError("a school is in two teams of one agency")
        return self

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


EMBEDDED: Final = Teams(default=Team(name="Project Hope", recipients=["caseworker@project-hope.example"]))
"""Used without a teams file: everything goes to one recipient, whose mails the embedded sink keeps."""


def load_teams(settings: NotifySettings) -> Teams:
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
