"""Sentences that reach the console in English, found again by their templates and said in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Final

from services.casework.console.language import SOURCE, Language, marked

N_: Final = marked

HELD: Final = N_(" Held at watch: the week's places went to higher scores.")
OF_MODEL: Final[tuple[str, ...]] = (
    N_(
        "The model puts the chance that the family is identified within 30 school days at {chance} "
        "(all students: {all})."
    ),
    N_("Absent on {absent} of days and late on {late}, before the last {days}."),
    N_("A score of about half the odds, for some days."),
    N_("Another child of the household has a raised score."),
    N_("The other child's days attended."),
    N_("Absent without an excuse on {count} of the last {days} days that count."),
    N_("Absent with an excuse on {count} of the last {days} days that count."),
    N_("Late on {count} of the last {days} days that count."),
    N_("Left early on {count} of the last {days} days that count."),
    N_("Absent {count} days in a row without an excuse."),
    N_("Usually absent without an excuse on {usual} of days."),
    N_("Usually absent on {usual} of days: of a student who is seldom absent, absences say more."),
    N_("Usually late on {usual} of days."),
    N_("More absences in the last {days} days ({count}) than the student's own usual ({usual} of days)."),
    N_("Late more often in the last {days} days ({count}) than the student's own usual ({usual} of days)."),
    N_("Excused absences in the last {days} days ({count}), against the student's own usual."),
    N_("Absences without an excuse in the 20 days before the last 20."),
    N_("Absent without an excuse on {count} days this year."),
    N_("Absent with an excuse on {count} days this year."),
    N_("Changed school {count} school days ago."),
)
"""What the model says of a student."""
TAILS: Final[tuple[str, ...]] = (
    HELD,
    N_(" This multiplies the odds by {factor}."),
    N_(" The model was trained on simulated data."),
)
"""What may follow on a sentence."""
UNKNOWN: Final = N_("unknown")
DATED: Final = frozenset({"first", "last"})
"""The places of a sentence that are days."""
LEAP: Final = 2000
"""A year that has every day."""


def spoken(given: str, templates: Iterable[str], language: Language) -> str:
    """A sentence that was made by one of the templates, in the language; another as it is."""
    templates = tuple(templates)
    for tail in TAILS:
        if (found := _pattern("{before}" + tail).fullmatch(given)) is not None:
            return spoken(found["before"], templates, language) + _said(tail, found, language)
    matches = ((template, _pattern(template).fullmatch(given)) for template in templates)
    return next((_said(template, found, language) for template, found in matches if found is not None), given)


def _said(template: str, found: re.Match[str], language: Language) -> str:
    places = {name: _place(name, value, language) for name, value in found.groupdict().items()}
    return language.translations.gettext(template).format(**places)


def _place(name: str, value: str, language: Language) -> str:
    """What stands in a place, which was made in English; a day such as `3 Oct` names no year."""
    if value == UNKNOWN:
        return language.translations.gettext(UNKNOWN)
    if name not in DATED or language.code == SOURCE:
        return value
    try:
        return language.day_of_year(datetime.strptime(f"{value} {LEAP}", "%d %b %Y").date())  # noqa: DTZ007
    except ValueError:
        return value


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)))
