"""In which language a page speaks: what was chosen, else what the browser prefers, else English."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

COOKIE: Final = "firstbell_language"
DOMAIN: Final = "console"
SOURCE: Final = "en"
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "es": "Español", "ht": "Kreyòl ayisyen", "kea": "Kabuverdianu"}
"""What can be chosen, each in its own name."""
IN_REVIEW: Final = frozenset({"ht", "kea"})
"""Prepared, and not yet read by somebody whose own language it is: chosen by nobody but who asks for it by name."""
FORMS: Final[Mapping[str, str]] = {"es": "es_US", "ht": "fr_HT"}
"""Whose dates and numbers are used: Boston's 10.5% in Spanish, Haiti's French where CLDR has no Creole months."""


def marked(text: str) -> str:
    """A text that is translated where it is shown: marked, as `N_`, so that catalogs have it."""
    return text


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and how it says things."""

    code: str
    locale: Locale
    translations: NullTranslations
    timezone: ZoneInfo

    def day(self, given: date) -> str:
        """A date with its weekday."""
        return str(format_skeleton("yMMMEd", given, locale=self.locale))

    def day_of_year(self, given: date) -> str:
        """A day and its month."""
        return str(format_skeleton("MMMd", given, locale=self.locale))

    def form(self, given: date, pattern: str) -> str:
        """A date in a form of CLDR's."""
        return str(format_date(given, pattern, self.locale))

    def moment(self, given: datetime) -> str:
        """A date and a time of the district."""
        return str(format_datetime(given, "medium", tzinfo=self.timezone, locale=self.locale))

    def number(self, given: float) -> str:
        """A number."""
        return str(format_decimal(given, locale=self.locale))

    def percent(self, given: float) -> str:
        """A share, 0 to 1."""
        return str(format_percent(given, locale=self.locale))


def language_of(chosen: str | None, accepted: str, timezone: ZoneInfo) -> Language:
    """The language for who has chosen one, and whose browser sends this Accept-Language."""
    code = chosen if chosen is not None and chosen in LANGUAGES else _negotiated(accepted)
    return Language(code, Locale.parse(FORMS.get(code, code)), translations_of(code), timezone)


def _negotiated(accepted: str) -> str:
    offered = [code for code in LANGUAGES if code not in IN_REVIEW]
    return negotiate_locale([tag.replace("-", "_") for tag in _by_preference(accepted)], offered) or SOURCE


def _by_preference(accepted: str) -> list[str]:
    weighted = []
    for part in accepted.split(","):
        tag, _, parameters = part.strip().partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            weight = float(value) if name == "q" else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda each: -each[0])]


@cache
def translations_of(code: str) -> NullTranslations:
    """The catalog of a language, compiled as it is read; English says what stands in the source."""
    catalog = files(__package__).joinpath("locale", code, "LC_MESSAGES", f"{DOMAIN}.po")
    if code == SOURCE or not catalog.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(catalog.read_bytes()), locale=code, domain=DOMAIN))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)
