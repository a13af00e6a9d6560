"""HTML elements of a page. lxml escapes every text that goes in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element


def tag(name: str, /, *content: str | Element, **attributes: str) -> Element:
    """An element; `class_` gives the attribute class, `aria_label` gives aria-label."""
    element = etree.Element(name, {key.strip("_").replace("_", "-"): value for key, value in attributes.items()})
    for part in content:
        if not isinstance(part, str):
            element.append(part)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + part
        else:
            element.text = (element.text or "") + part
    return element


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    """A table whose first column names its rows; it scrolls sideways in its own box where the page is narrow."""
    columns = tag("tr", *(tag("th", name, scope="col") for name in head))
    body = (tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows)
    whole = tag("table", tag("caption", caption), tag("thead", columns), tag("tbody", *body))
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")


def section(name: str, title: str, *content: Element) -> Element:
    """A titled part of the page, which `#name` leads to."""
    heading = f"{name}-heading"
    return tag("section", tag("h2", title, id=heading), *content, id=name, aria_labelledby=heading)


def more(summary: str, *content: Element) -> Element:
    """What opens on a click."""
    return tag("details", tag("summary", summary), *content)


def facts(pairs: Iterable[tuple[str, str]]) -> Element:
    """A list of names and what they are."""
    return tag("dl", *(part for name, value in pairs for part in (tag("dt", name), tag("dd", value))))


def paragraph(text: str) -> Element:
    """A plain paragraph."""
    return tag("p", text)


def warning(text: str) -> Element:
    """A paragraph that stands out, and says in words that it warns."""
    return tag("p", tag("strong", "Warning. "), text, class_="note")
