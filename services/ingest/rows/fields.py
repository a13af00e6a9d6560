"""One field of a row, from a CSV string or a JSON value. An error says what is expected, never what was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeVar

Values = Mapping[str, object]
"""A row's fields by name. Absent, None and the empty string all mean unknown."""

ChoiceT = TypeVar("ChoiceT")

MAX_ID: Final = 64
_MAX_LIST: Final = 100
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
_FIRST_BIRTH_YEAR: Final = 1900
_ISO_LENGTH: Final = 10

_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_AN_ID: Final = f"1 to {MAX_ID} printable characters"
_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}")
"""A long number as spreadsheets write it; `1E2` is a room."""
_WHOLE_ID: Final = (
    "all digits of the id; a spreadsheet has shortened it to a power of ten: make the column text, and export it again"
)
_A_DATE: Final = f"a date as YYYY-MM-DD, {_FIRST_YEAR} to {_LAST_YEAR}"
_A_BIRTH_DATE: Final = f"a date as YYYY-MM-DD, {_FIRST_BIRTH_YEAR} to {_LAST_YEAR}"
_A_MOMENT: Final = f"an ISO 8601 date and time such as 2016-12-01T08:15:00, {_FIRST_YEAR} to {_LAST_YEAR}"
_A_FLAG: Final = "true or false (also yes or no, y or n, 1 or 0)"
_FLAGS: Final[dict[str | int, bool]] = {
    **dict.fromkeys(("true", "yes", "y", "1", 1), True),
    **dict.fromkeys(("false", "no", "n", "0", 0), False),
}
"""JSON's own true and false are 1 and 0 here, as Python has it."""


class FieldError(Exception):
    """A field cannot be used; its text is safe to show to anyone."""

    def __init__(self, field: str, expected: str, *, missing: bool = False) -> None:
        super().__init__(f"{field}: {'missing; ' if missing else ''}expected {expected}")
        self.field = field


def optional_text(values: Values, name: str, most: int = MAX_ID) -> str | None:
    """Printable text of at most so many characters, trimmed. A JSON integer counts as its digits."""
    value = values.get(name)
    if isinstance(value, str):
        if not value:
            return None
        text = value.strip()
        if len(text) <= most and text.isprintable():
            return text or None
    elif value is None:
        return None
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID:
        return str(value)
    raise FieldError(name, f"1 to {most} printable characters")


def optional_words(values: Values, name: str, most: int) -> str | None:
    """A name of people or places: like text, and white space of any kind within it is one space."""
    value = values.get(name)
    if isinstance(value, str):
        words = _words(value)
        if len(words) <= most and words.isprintable():
            return words or None
        raise FieldError(name, f"1 to {most} printable characters")
    return optional_text(values, name, most)


def required_words(values: Values, name: str, most: int) -> str:
    """A name of people or places that must be there."""
    text = optional_words(values, name, most)
    if text is None:
        raise FieldError(name, f"1 to {most} printable characters", missing=True)
    return text


def optional_choice(values: Values, name: str, choices: Mapping[str, ChoiceT]) -> ChoiceT | None:
    """What one of the words stands for, whatever its case, or None when it is unknown."""
    text = optional_text(values, name)
    if text is None:
        return None
    found = choices.get(text.lower())
    if found is None:
        raise FieldError(name, _one_of(choices))
    return found


def required_choice(values: Values, name: str, choices: Mapping[str, ChoiceT]) -> ChoiceT:
    """What one of the words stands for, whatever its case."""
    found = optional_choice(values, name, choices)
    if found is None:
        raise FieldError(name, _one_of(choices), missing=True)
    return found


def _one_of(choices: Iterable[str]) -> str:
    return f"one of {', '.join(choices)}"


def optional_id(values: Values, name: str) -> str | None:
    """An id, or None when it is unknown; one that a spreadsheet has shortened may be several students'."""
    value = values.get(name)
    if value is None or (isinstance(value, str) and _is_plain(value)):
        return value
    text = optional_text(values, name)
    if text is not None and "+" in text and _SHORTENED.fullmatch(text):
        raise FieldError(name, _WHOLE_ID)
    return text


def _is_plain(value: str) -> bool:
    """Whether an id can be taken as it stands; most can."""
    return 0 < len(value) <= MAX_ID and value.isprintable() and " " not in value and "+" not in value


def required_id(values: Values, name: str) -> str:
    """An id: 1 to 64 printable characters, trimmed."""
    text = optional_id(values, name)
    if text is None:
        raise FieldError(name, _AN_ID, missing=True)
    return text


def optional_date(values: Values, name: str) -> date | None:
    """A school date, as YYYY-MM-DD, or None when it is unknown."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        day = _school_date(value)
        if day is not None:
            return day
        if not value.strip():
            return None
    raise FieldError(name, _A_DATE)


def required_date(values: Values, name: str) -> date:
    """A school date, as YYYY-MM-DD."""
    day = optional_date(values, name)
    if day is None:
        raise FieldError(name, _A_DATE, missing=True)
    return day


def optional_birth_date(values: Values, name: str) -> date | None:
    """A date of birth, as YYYY-MM-DD, or None when it is unknown."""
    text = optional_text(values, name)
    if text is None:
        return None
    day = _iso_date(text)
    if day is None or not _FIRST_BIRTH_YEAR <= day.year <= _LAST_YEAR:
        raise FieldError(name, _A_BIRTH_DATE)
    return day


def optional_moment(values: Values, name: str) -> datetime | None:
    """A date and time; without an offset it is left naive, and stands in the school's timezone."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise FieldError(name, _A_MOMENT) from None  # its text holds the input
        if _FIRST_YEAR <= moment.year <= _LAST_YEAR and len(text) > _ISO_LENGTH:
            return moment
    raise FieldError(name, _A_MOMENT)


def optional_flag(values: Values, name: str) -> bool | None:
    """True or false in the words that files use, or None when it is unknown."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, (str, int)):
        flag = _FLAGS.get(value)
        if flag is None and isinstance(value, str):
            word = value.strip().lower()
            if not word:
                return None
            flag = _FLAGS.get(word)
        if flag is not None:
            return flag
    raise FieldError(name, _A_FLAG)


def optional_count(values: Values, name: str, most: int) -> int | None:
    """A whole number from 0, or None when it is unknown."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        # The length comes first: int() of very many digits raises.
        value = int(text) if len(text) <= MAX_ID and text.isascii() and text.isdigit() else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise FieldError(name, f"a whole number from 0 to {most}")


def optional_number(values: Values, name: str, most: int) -> Decimal | None:
    """A number from 0 with at most four decimals, or None when it is unknown."""
    value = values.get(name)
    if value is None or value == "":
        return None
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else "?"
    if not text:
        return None
    number = _number(text)
    if number is not None and number <= most:
        return number
    raise FieldError(name, f"a number from 0 to {most}, with a point before decimals")


def optional_year(values: Values, name: str) -> int | None:
    """A year, or None when it is unknown."""
    number = optional_count(values, name, _LAST_YEAR)
    if number is not None and number < _FIRST_YEAR:
        raise FieldError(name, f"a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return number


def plain(number: Decimal) -> str:
    """A number as people write it: `88.5`, and `90` for 90.0."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_list(values: Values, name: str) -> tuple[str, ...]:
    """Texts parted by `;`, or a JSON array of them; trimmed, without the empty ones."""
    value = values.get(name)
    if value is None:
        return ()
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) > _MAX_LIST or not all(isinstance(part, str) for part in parts):
        raise FieldError(name, f"at most {_MAX_LIST} texts, as a list or parted by ;")
    texts = [part.strip() for part in parts]
    if not all(len(text) <= MAX_ID and text.isprintable() for text in texts):
        raise FieldError(name, f"texts of at most {MAX_ID} printable characters")
    return tuple(text for text in texts if text)


@lru_cache(maxsize=8192)
def _words(text: str) -> str:
    """Of names of courses, terms and the like there are few, and each stands in many rows."""
    return " ".join(text.split())


@lru_cache(maxsize=8192)
def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=8192)
def _school_date(text: str) -> date | None:
    day = _iso_date(text.strip())
    return day if day is not None and _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _iso_date(text: str) -> date | None:
    """Only YYYY-MM-DD: the other ISO 8601 forms are more often a mistake than meant."""
    if len(text) != _ISO_LENGTH or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
