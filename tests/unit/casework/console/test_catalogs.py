from __future__ import annotations

import io
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from services.casework.console.language import IN_REVIEW, LANGUAGES, SOURCE, translations_of
from services.platform.notice import NOTICE

SCRIPT: dict[str, Any] = runpy.run_path(str(Path(__file__).resolve().parents[4] / "deploy" / "messages.py"))
CODES = tuple(code for code in LANGUAGES if code != SOURCE)
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalog(code: str) -> Catalog:
    return read_po(io.BytesIO(SCRIPT["catalog_path"](code).read_bytes()), locale=code)


def messages(code: str) -> list[Message]:
    return [message for message in catalog(code) if message.id]


def texts(given: str | tuple[str, ...] | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def translated(code: str) -> list[tuple[Message, str]]:
    return [(message, text) for message in messages(code) for text in texts(message.string) if text]


def test_the_catalogs_are_up_to_date(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["messages.py", "--check"])
    status = SCRIPT["main"]()
    assert (status, capsys.readouterr().err) == (0, "")


def test_every_language_has_a_catalog_that_the_script_keeps() -> None:
    assert set(SCRIPT["CODES"]) == set(CODES)
    assert set(CODES) > IN_REVIEW


@pytest.mark.parametrize("code", [code for code in CODES if code not in IN_REVIEW])
def test_a_language_that_is_offered_is_complete(code: str) -> None:
    assert [message.id for message in messages(code) if message.fuzzy or not all(texts(message.string))] == []


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_places_of_its_message(code: str) -> None:
    wrong = [
        (message.id, text)
        for message, text in translated(code)
        if sorted(set(PLACES.findall(text))) != sorted(set(PLACES.findall(texts(message.id)[-1])))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", CODES)
def test_a_translation_is_plain_text_that_begins_and_ends_as_its_message(code: str) -> None:
    for message, text in translated(code):
        source = texts(message.id)[-1]
        assert not set(text) & set("<>&"), text
        assert (text[0].isspace(), text[-1].isspace()) == (source[0].isspace(), source[-1].isspace()), text
        assert (text[-1] in ".:;") == (source[-1] in ".:;"), text


@pytest.mark.parametrize("code", CODES)
def test_what_a_template_says_has_no_lone_percent_sign(code: str) -> None:
    for message, text in translated(code):
        if any(path.endswith(".html") for path, _ in message.locations):
            assert "%" not in PLACES.sub("", text), text


@pytest.mark.parametrize("code", sorted(IN_REVIEW))
def test_a_catalog_in_review_says_so(code: str) -> None:
    head = SCRIPT["catalog_path"](code).read_text(encoding="utf-8").split("msgid", 1)[0]
    assert "awaits review by a native speaker" in head


@pytest.mark.parametrize("code", CODES)
def test_a_catalog_names_no_date_and_no_machine(code: str) -> None:
    text = SCRIPT["catalog_path"](code).read_text(encoding="utf-8")
    assert "Date" not in text.split("\n\n", 1)[0]
    assert str(SCRIPT["ROOT"]) not in text


def test_the_notice_is_said_in_spanish() -> None:
    said = translations_of("es").gettext(NOTICE)
    assert "34 CFR 99.33" in said
    assert "FERPA" in said
    assert said != NOTICE


def test_what_is_not_translated_yet_is_said_in_english() -> None:
    assert translations_of("kea").gettext("Skip to the content") == "Skip to the content"
    assert translations_of("kea").ngettext("{count} new", "{count} new", 2) == "{count} new"


def test_one_and_many_are_told_apart() -> None:
    spanish = translations_of("es")
    said = [spanish.ngettext("{count} new", "{count} new", count).format(count=count) for count in (1, 2, 1_000_000)]
    assert said == ["1 nuevo", "2 nuevos", "1000000 nuevos"]


def test_the_script_keeps_what_is_translated_and_drops_what_is_gone() -> None:
    source = Catalog()
    source.add("Take")
    source.add("Brand new")
    text = SCRIPT["updated"]("es", source)
    assert 'msgid "Take"\nmsgstr "Tomar"' in text
    assert 'msgid "Brand new"\nmsgstr ""' in text
    assert "Posponer" not in text


def test_the_plural_forms_are_those_of_the_language(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "console.po"
    wrong.write_text(
        'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] "{n} día"\nmsgstr[1] "{n} días"\n',
        encoding="utf-8",
    )
    monkeypatch.setitem(SCRIPT["updated"].__globals__, "catalog_path", lambda _: wrong)
    source = Catalog()
    source.add(("{n} day", "{n} days"))
    text = SCRIPT["updated"]("es", source)
    assert "nplurals=3" in text
    assert 'msgstr[0] "{n} día"\nmsgstr[1] "{n} días"\nmsgstr[2] ""' in text
