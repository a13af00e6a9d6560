"""From a matplotlib figure to an SVG element inside the page: the same bytes each time, in the page's colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib as mpl
from lxml import etree
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from services.platform.page.elements import Element, tag

WIDTH = 5.2
"""Inches (72 to one unit of the drawing), so that text stays legible where a phone shows it at its own size."""

COLOURS = {
    "both": "#0072b2",
    "rules": "#c44f00",
    "model": "#007f5c",
    "score": "#007f5c",
    "ten_percent": "#1a1a1b",
    "streak_3": "#8a6100",
    "rate_to_date": "#a3437d",
    "absences_20": "#5a6672",
    "ink": "#1a1a1a",
    "rule": "#c9cdd1",
}
"""Colour-blind safe: after Okabe and Ito, darkened to 3:1 on white. `charts.css` has each as `--chart-NAME`, and
lighter ones for a dark page."""

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_STYLE: Mapping[RcKeyType, object] = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["ink"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "boxplot.boxprops.color": COLOURS["ink"],
    "boxplot.capprops.color": COLOURS["ink"],
    "boxplot.medianprops.color": COLOURS["ink"],
    "boxplot.whiskerprops.color": COLOURS["ink"],
    "font.size": 10.0,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
}


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Figures made and rendered within have the report's style, whatever the user's own matplotlib settings say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        mpl.rcParams["svg.hashsalt"] = name
        yield


def figure(height: float) -> Figure:
    """An empty transparent figure, `height` inches tall."""
    return Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")


def to_svg(drawn: Figure, name: str, title: str, description: str) -> Element:
    """The figure as an `svg` element, titled and described; its ids start with `name`, so a page may hold several."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="svg", metadata=_NO_METADATA)
    root = etree.fromstring(_in_page_colours(buffer.getvalue().decode()).encode())
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    _own_ids(root, name)
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib.update({"role": "img", "aria-labelledby": f"{name}-title {name}-description"})
    root.insert(0, tag(f"{{{_SVG}}}desc", description, id=f"{name}-description"))
    root.insert(0, tag(f"{{{_SVG}}}title", title, id=f"{name}-title"))
    return root


def _in_page_colours(svg: str) -> str:
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--chart-{name})")
    return svg


def _own_ids(root: Element, name: str) -> None:
    """Put the name before every id and every reference to one."""
    for element in root.iter():
        for key in map(str, element.attrib):
            value = str(element.get(key))
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key == _XLINK:
                element.set(key, value.replace("#", f"#{name}-", 1))
            else:
                element.set(key, re.sub(r"url\(#", f"url(#{name}-", value))
