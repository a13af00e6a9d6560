from __future__ import annotations

import hashlib
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from services.casework.console.language import language_of
from services.casework.console.sentences import HELD
from services.casework.console.words import Words
from services.contracts.cases import CASE_OUTCOMES, REFERRED_TO

ZONE = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("chosen", "accepted", "code"),
    [
        (None, "", "en"),
        (None, "es-US,es;q=0.9,en;q=0.8", "es"),
        (None, "fr,en;q=0.5", "en"),
        ("es", "en", "es"),
        ("xx", "en", "en"),
        (None, "ht", "en"),
        ("ht", "en", "ht"),
        (None, "es;q=nonsense", "en"),
    ],
)
def test_what_was_chosen_comes_before_what_the_browser_prefers(chosen: str | None, accepted: str, code: str) -> None:
    assert language_of(chosen, accepted, ZONE).code == code


def test_every_value_of_the_contract_has_words() -> None:
    words = Words(language_of("en", "", ZONE))
    assert set(words.outcomes) == set(CASE_OUTCOMES)
    assert set(words.places) == set(REFERRED_TO)
    assert words.results["left_message"] == "Left a message"


def test_a_sentence_of_the_policy_is_found_again() -> None:
    words = Words(language_of("en", "", ZONE))
    said = "Late 6 times in the last 10 school days."
    assert words.reason(said) == said
    assert words.reason(said + HELD) == said + HELD
    assert words.reason("Something else.") == "Something else."


def test_what_is_vendored_is_what_was_taken() -> None:
    static = files("services.casework.console").joinpath("static")
    for line in static.joinpath("CHECKSUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256(static.joinpath(name).read_bytes()).hexdigest() == digest
