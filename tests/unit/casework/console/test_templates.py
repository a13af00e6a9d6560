"""No string is hard-coded: what a template shows of itself goes through gettext."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from fastapi import Request
from jinja2 import Environment, nodes

from services.casework.console.language import language_of
from services.casework.console.rendering import _environment, render

ENVIRONMENT = _environment("en")
TEMPLATES = sorted(ENVIRONMENT.list_templates(extensions=["html"]))
SHOWN = ("aria-label", "aria-description", "aria-roledescription", "title", "placeholder", "alt", "label", "summary")
SAID_LATER = ("data-said", "data-one", "data-many")
"""What the script says."""
GETTEXT = {"_", "gettext", "ngettext"}
NAMES = {"First Bell"}
ANYTHING = "\N{MIDDLE DOT}"
"""Stands for what an expression gives."""


class Shown(HTMLParser):
    """Collects what a reader gets to read or to hear."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self._keep(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in SHOWN or name.startswith(SAID_LATER):
                self._keep(value or "")

    def _keep(self, text: str) -> None:
        for name in NAMES:
            text = text.replace(name, "")
        if any(letter.isalpha() for letter in text):
            self.found.append(text.strip())


def hard_coded(source: str, environment: Environment = ENVIRONMENT) -> list[str]:
    tree = environment.parse(source)
    shown = Shown()
    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
            shown.feed(part.data if isinstance(part, nodes.TemplateData) else ANYTHING)
    shown.close()
    return shown.found + [text for output in tree.find_all(nodes.Output) for text in _literals(output)]


def _is_for_people(value: object) -> bool:
    return isinstance(value, str) and (value[:1].isupper() or " " in value) and value.strip(" ,;:") != ""


def _literals(node: nodes.Node) -> Iterator[str]:
    """Texts in expressions that look as if they were for people: a capital letter first, or a space."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
        return
    if isinstance(node, nodes.Const) and _is_for_people(node.value):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _literals(child)


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_string_of_a_template_is_hard_coded(name: str) -> None:
    assert ENVIRONMENT.loader is not None
    source, _, _ = ENVIRONMENT.loader.get_source(ENVIRONMENT, name)
    assert hard_coded(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }} {{ name }}: 3 · First Bell</p>', []),
        ("<p>{% trans day=when %}due {{ day }}{% endtrans %}</p>", []),
        ('<p aria-label="Hello">{{ name }}</p>', ["Hello"]),
        ('<p aria-label="{% trans n=name %}Hello {{ n }}{% endtrans %}"></p>', []),
        ("<input placeholder='{{ name }} of the school'>", [f"{ANYTHING} of the school"]),
        ('<p data-said-gone="Gone"></p>', ["Gone"]),
        ('<p class="quiet" id="main"></p>', []),
        ("{% if a %}<b>{{ b }}</b>{% else %}none{% endif %}", ["none"]),
        ('{% for a in b %}<p>{{ "Taken" if a else "free now" }}</p>{% endfor %}', ["Taken", "free now"]),
        ("{{ words.get('states', 'new') }}", []),
    ],
)
def test_a_hard_coded_string_is_found(source: str, found: list[str]) -> None:
    assert hard_coded(source) == found


def page(code: str, template: str, **context: object) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    request.state.language = language_of(code, "", ZoneInfo("America/New_York"))
    request.state.nonce = request.state.csrf = "x"
    return bytes(render(request, template, context).body).decode()


def test_a_page_says_its_language_and_speaks_it() -> None:
    shown = page("es", "login.html", agencies=["a"], roles=["caseworker"], next="/", provider=None)
    assert '<html lang="es">' in shown
    assert "Iniciar sesión" in shown
    assert "Persona encargada del caso" in shown
    assert "Sign in" not in shown
    assert "conforme a la ley FERPA" in shown


def test_a_language_in_review_is_listed_as_such() -> None:
    shown = page("es", "login.html", agencies=["a"], roles=[], next="/", provider=None)
    listed = re.findall(r'<option value="(\w+)" lang="\w+"(?: selected)?>([^<]+)</option>', shown)
    assert listed == [
        ("en", "English"),
        ("es", "Español"),
        ("ht", "Kreyòl ayisyen (en revisión)"),
        ("kea", "Kabuverdianu (en revisión)"),
    ]
