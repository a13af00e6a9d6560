"""Ed-Fi XML interchange files, read as a stream: of the tree, no more than one chunk of the file is ever held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Generic, cast

from lxml import etree

from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.edfi import Field, Resource
from services.ingest.rows import RowError

_NAMESPACE: Final = "http://ed-fi.org/5."
_CHUNK: Final = 64 * 1024
_LAST_LINE_KEPT: Final = 0xFFFF

_MALFORMED: Final = "expected well-formed XML; what comes before was read and the rest skipped: export the file again"
_DOCTYPE: Final = "expected an interchange file without a DOCTYPE; the file was skipped"


@dataclass(frozen=True, slots=True)
class Interchange:
    """The root element of an Ed-Fi 5.x interchange."""

    namespace: str
    name: str


def interchange_of(path: Path) -> Interchange | None:
    """The interchange that the file begins with, None when it is none of Ed-Fi 5.x. Raises `OSError`."""
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True)
    with path.open("rb") as file:
        _feed(parser, file.read(_CHUNK))
    for _, element in _events(parser):
        root = etree.QName(element)
        is_edfi = (root.namespace or "").startswith(_NAMESPACE) and root.localname.startswith("Interchange")
        return Interchange(root.namespace or "", root.localname) if is_edfi else None
    return None


@dataclass(frozen=True, slots=True)
class XmlReader(Generic[RowT_co]):
    """Reads the resources of one interchange file; an item's line is that of its start tag."""

    path: Path
    interchange: Interchange
    resources: Sequence[Resource[RowT_co]]

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows. A malformed file ends in one rejection, with the line of the error."""
        namespace = self.interchange.namespace
        resources = {f"{{{namespace}}}{resource.element}": resource for resource in self.resources}
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{{namespace}}}{self.interchange.name}", *resources],
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        )
        root: etree._Element | None = None
        fault: int | None = None
        with self.path.open("rb") as file:
            chunk = b"-"
            while chunk and fault is None:
                chunk = file.read(_CHUNK)
                log.bytes_read += len(chunk)
                fault = _feed(parser, chunk)
                for event, element in _events(parser):
                    if root is None:
                        root = element
                        if root.getroottree().docinfo.internalDTD is not None:
                            yield Rejection(self.path.name, 1, None, _DOCTYPE)
                            return
                    elif event == "end" and element.getparent() is root:
                        yield from self._found(element, resources[str(element.tag)])
                if root is not None:
                    del root[:-1]  # all but the last are complete; the last may still be open
        if fault is not None:
            yield Rejection(self.path.name, fault, None, _MALFORMED)

    def _found(self, element: etree._Element, resource: Resource[RowT_co]) -> Iterator[Found[RowT_co]]:
        values = {
            field.name: read(element) for field, read in _field_readers(resource.fields, self.interchange.namespace)
        }
        row = resource.parse(values)
        line = _start_line(element)
        if isinstance(row, RowError):
            yield Rejection.of(row, self.path.name, line)
        elif row is not None:
            yield Item(row, self.path.name, line)


def _events(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
    for event, element in parser.read_events():
        if isinstance(element, etree._Element):
            yield event, element


def _start_line(element: etree._Element) -> int:
    """The line of the start tag.

    libxml2 keeps 16 bits of it; beyond, it tells the line at which the first text inside ends.
    """
    line = cast("int | None", element.sourceline) or 0
    inner: etree._Element | None = element
    while line >= _LAST_LINE_KEPT and inner is not None:
        if inner.text:
            return line - inner.text.count("\n")
        inner = next(iter(inner), None)
    return line


def _feed(parser: etree.XMLPullParser, chunk: bytes) -> int | None:
    """The line at which the XML is malformed, or None; an empty chunk is the file's end."""
    try:
        if chunk:
            parser.feed(chunk)
        else:
            parser.close()
    except etree.XMLSyntaxError as error:
        return error.lineno or 1
    return None


@lru_cache(maxsize=64)
def _field_readers(
    fields: tuple[Field, ...], namespace: str
) -> tuple[tuple[Field, Callable[[etree._Element], object]], ...]:
    return tuple((field, _compiled(field, namespace)) for field in fields)


def _compiled(field: Field, namespace: str) -> Callable[[etree._Element], object]:
    path = "/".join(f"e:{name}" for name in field.xml.split("/"))
    xpath = f"{path}/text()" if field.many else f"string({path})"
    return etree.XPath(xpath, namespaces={"e": namespace}, smart_strings=False)
