"""A whole page: its head, its contents, its parts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from lxml import etree

from services.platform.page.elements import Element, tag

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser's own guard: the page may load nothing, not even from its own folder, and run no script."""
_XMLNS: Final = (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"')
"""Needed in XML, not in HTML."""


def page(title: str, parts: Sequence[Element], *, style: str = "") -> str:
    """The page as HTML; its `parts` are sections (`elements.section`), which the contents lead to."""
    whole = tag(
        "html",
        _head(title, style),
        tag("body", tag("header", tag("h1", title), _contents(parts)), tag("main", *parts)),
        lang="en",
    )
    text = etree.tostring(whole, method="html", encoding="unicode", doctype="<!DOCTYPE html>")
    for declaration in _XMLNS:
        text = text.replace(declaration, "")
    return text + "\n"


def _head(title: str, style: str) -> Element:
    ours = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", ours + style),
    )


def _contents(parts: Sequence[Element]) -> Element:
    links = (tag("a", part[0].text or "", href=f"#{part.get('id')}") for part in parts)
    return tag("nav", tag("ul", *(tag("li", link) for link in links)), aria_label="On this page")
