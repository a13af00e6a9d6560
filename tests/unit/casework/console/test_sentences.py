from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from models.engine.reasons import KIND
from models.features import FEATURES, Feature
from models.policy import default_policy
from services.casework.console.language import LANGUAGES, language_of
from services.casework.console.sentences import HELD, OF_MODEL, TAILS
from services.casework.console.words import REASON_KINDS, SENTENCES, Words

ZONE = ZoneInfo("America/New_York")
SPANISH = language_of("es", "", ZONE)
WORDS = Words(SPANISH)
MODEL_SAYS = (
    "The model puts the chance that the family is identified within 30 school days at 3.1% (all students: 0.4%)."
)
ODDS = " This multiplies the odds by 2.3."
SIMULATED = " The model was trained on simulated data."


def filled(template: str) -> str:
    """A sentence as the engine makes it, with other things in its places."""
    days = iter(range(3, 99))
    return re.sub(r"\{(\w+)\}", lambda place: "3 Oct" if place[1] in {"first", "last"} else str(next(days)), template)


def test_every_sentence_of_the_policy_that_ships_is_known() -> None:
    rules = default_policy().rules
    assert {rule.text for rule in rules} | {rule.clears for rule in rules} <= set(SENTENCES)
    assert {rule.reason for rule in rules} | {KIND} <= set(REASON_KINDS)


@pytest.mark.parametrize("template", [*SENTENCES, *OF_MODEL])
def test_every_sentence_is_found_again_in_spanish(template: str) -> None:
    said = WORDS.reason(filled(template))
    expected = SPANISH.translations.gettext(template)
    assert expected != template
    assert re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(expected)), said)
    assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", filled(expected)))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_of_the_model_is_said_in_spanish(feature: Feature) -> None:
    sentence = filled(feature.words)
    said = WORDS.reason(sentence + ODDS)
    assert said.endswith(" Esto multiplica por 2.3 las probabilidades a favor.")
    assert WORDS.reason(sentence) != sentence
    assert said == WORDS.reason(sentence) + WORDS.reason("x" + ODDS)[1:]


def test_what_follows_on_a_sentence_is_said_too() -> None:
    said = WORDS.reason(MODEL_SAYS + SIMULATED)
    assert said.startswith("El modelo calcula en 3.1% la probabilidad")
    assert said.endswith("(todos los estudiantes: 0.4%). El modelo se entrenó con datos simulados.")
    held = WORDS.reason("Late 6 times in the last 10 school days." + HELD)
    assert held.startswith("Llegó tarde 6 veces en los últimos 10 días de clases. Se mantiene en observación")
    assert all(SPANISH.translations.gettext(tail) != tail for tail in TAILS)


def test_days_in_a_sentence_are_said_in_the_language() -> None:
    sentence = "Absent 3 school days in a row without an excuse, 29 Feb to 4 Mar."
    assert WORDS.reason(sentence).endswith("del 29 feb al 4 mar.")
    assert Words(language_of("en", "", ZONE)).reason(sentence) == sentence


def test_a_share_that_is_not_known_is_said_in_the_language() -> None:
    said = WORDS.reason("Absent 3 of the last 5 days that count (60%), far above the student's own usual of unknown.")
    assert said.endswith("(60%), muy por encima de lo habitual en este estudiante (se desconoce).")


def test_a_sentence_of_another_policy_stays_as_it_is() -> None:
    assert WORDS.reason("Three days at the nurse's.") == "Three days at the nurse's."
    assert WORDS.of("visits to the nurse") == "visits to the nurse"
    assert WORDS.of("late arrivals") == "llegadas tarde"


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_language_stumbles_over_a_sentence(code: str) -> None:
    words = Words(language_of(code, "", ZONE))
    assert all("{" not in words.reason(filled(template)) for template in (*SENTENCES, *OF_MODEL))


@pytest.mark.parametrize(
    ("code", "day", "moment", "number", "percent", "month"),
    [
        ("en", "Fri, Nov 27, 2026", "Nov 27, 2026, 3:05:00 PM", "1,234.5", "10%", "November 2026"),
        ("es", "vie, 27 de nov de 2026", "27 nov 2026, 3:05:00 p.m.", "1,234.5", "10%", "noviembre 2026"),
        ("ht", "ven. 27 nov. 2026", "27 nov. 2026, 15:05:00", "1 234,5", "10 %", "novembre 2026"),
        ("kea", "ses, 27 Nuv 2026", "27 Nuv 2026, 15:05:00", "1 234,5", "10%", "Nuvenbru 2026"),
    ],
)
def test_dates_and_numbers_are_those_of_the_language(
    code: str, day: str, moment: str, number: str, percent: str, month: str
) -> None:
    words = Words(language_of(code, "", ZONE))
    said = [
        words.day("2026-11-27"),
        words.moment(datetime(2026, 11, 27, 20, 5, tzinfo=UTC)),
        words.number(1234.5),
        words.percent(0.1),
        words.month_of_year(date(2026, 11, 27)),
    ]
    assert [re.sub(r"\s", " ", text) for text in said] == [day, moment, number, percent, month]


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("es-MX", "es"),
        ("es-419,en;q=0.5", "es"),
        ("en;q=0.5, es;q=0.9", "es"),
        ("es;q=0, en", "en"),
        ("pt-BR, es;q=0.8, en;q=0.7", "es"),
        ("ht, kea, es;q=0.1", "es"),
        ("*", "en"),
        ("kea", "en"),
        (", ;q=1,es", "es"),
    ],
)
def test_the_language_that_a_browser_prefers_is_spoken(accepted: str, code: str) -> None:
    assert language_of(None, accepted, ZONE).code == code
