"""The TOML file that says what a district calls the columns of its Aspen export."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from services.ingest.formats.base import FormatError
from services.ingest.rows import REASONS

Header = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AspenColumns(_Strict):
    """The header of each column; a column that the export does not have is left out."""

    student_id: Header
    school_id: Header
    date: Header
    absent: Header
    tardy: Header | None = None
    dismissed: Header | None = None
    excused: Header | None = None
    code: Header | None = None
    recorded_at: Header | None = None

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        headers = list(self.model_dump(exclude_none=True).values())
        if len(set(headers)) < len(headers):
            raise ValueError
        return self


class AspenMapping(_Strict):
    """How to read one district's export."""

    columns: AspenColumns
    date_format: str = "%Y-%m-%d"
    """As `strptime` takes it."""
    codes: dict[str, str] = Field(default_factory=dict)
    """The district's code to a known reason; a code that is not here is dropped."""

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, value: str) -> str:
        day = datetime(2016, 12, 31)  # noqa: DTZ001 - only its date is looked at
        if datetime.strptime(day.strftime(value), value).date() != day.date():  # noqa: DTZ007
            raise ValueError
        return value

    @field_validator("codes")
    @classmethod
    def _known_reasons(cls, value: dict[str, str]) -> dict[str, str]:
        if not REASONS.issuperset(value.values()):
            raise ValueError
        return {code.strip().lower(): reason for code, reason in value.items()}


_HINTS = {
    "date_format": "expected a format with year, month and day, such as %m/%d/%Y",
    "codes": f"expected a table from code to one of {', '.join(sorted(REASONS))}",
}
_HINT = "expected names of columns, each once; see deploy/aspen-mapping.example.toml"


def load_mapping(path: Path) -> AspenMapping:
    """The mapping in the file; raises `FormatError` that says what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FormatError(f"The mapping {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"The mapping {path} is not TOML; see deploy/aspen-mapping.example.toml.") from error
    try:
        return AspenMapping.model_validate(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"])
        hint = _HINTS.get(str(wrong["loc"][0]), _HINT)
        raise FormatError(f"The mapping {path} cannot be used: {where}: {hint}.") from error
