"""Ed-Fi XML interchange files, read as a stream: of the tree, no more than one chunk of the file is ever held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Generic, cast

from lxml import etree

from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.edfi_fields import Field, Resource
from services.ingest.formats.edfi_index import INTERCHANGES
from services.ingest.formats.inputs import BrokenFileError, Input
from services.ingest.formats.mapping import Mapping
from services.ingest.rows.parse import RowError

_NAMESPACE: Final = "http://ed-fi.org/"
_READ: Final = ("4.", "5.")
"""Versions of the standard whose elements are, for what is read here, where 5.2 has them."""
_LAST_LINE_KEPT: Final = 0xFFFF

_MALFORMED: Final = "expected well-formed XML; what comes before was read and the rest skipped: export the file again"
_DOCTYPE: Final = "expected an interchange file without a DOCTYPE; the file was skipped"


@dataclass(frozen=True, slots=True)
class Interchange:
    """The root element of an Ed-Fi interchange."""

    namespace: str
    name: str

    @property
    def version(self) -> str:
        """That of the data standard; before 3.2 a namespace has it as four digits (0310 is 3.1)."""
        said = self.namespace.removeprefix(_NAMESPACE)
        return f"{said[1]}.{said[2]}" if len(said) == len("0310") and said.isdigit() else said

    @property
    def is_read(self) -> bool:
        """Whether it is of a version that is read."""
        return self.version.startswith(_READ)

    @property
    def elements(self) -> frozenset[str]:
        """Those of its elements that are read."""
        return INTERCHANGES.get(self.name, frozenset())


def interchange_of(source: Input) -> Interchange | None:
    """The interchange that the file begins with, None when it is none of Ed-Fi. Raises `OSError`, `BrokenFileError`."""
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True)
    _feed(parser, next(source.chunks(ReadLog()), b""))
    for _, element in _events(parser):
        root = etree.QName(element)
        is_edfi = (root.namespace or "").startswith(_NAMESPACE) and root.localname.startswith("Interchange")
        return Interchange(root.namespace or "", root.localname) if is_edfi else None
    return None


_STRING: Final = etree.XPath("string()", smart_strings=False)
_TEXTS: Final = etree.XPath("text()", smart_strings=False)


@dataclass(slots=True)
class _Branch:
    """Where the fields of a resource are: by the tags below an element, so that one look at each child finds all."""

    leaves: dict[str, Field] = field(default_factory=dict)
    branches: dict[str, _Branch] = field(default_factory=dict)

    def put(self, one: Field, namespace: str) -> None:
        """Add a field."""
        *above, last = (f"{{{namespace}}}{name}" for name in one.xml.split("/"))
        branch = self
        for tag in above:
            branch = branch.branches.setdefault(tag, _Branch())
        assert last not in branch.leaves
        branch.leaves[last] = one

    def read(self, element: etree._Element, values: dict[str, object]) -> None:
        """Put the fields' texts into the values: of one that comes several times the first, or, of `many`, each."""
        for child in element:
            tag = child.tag  # a comment's is in neither
            leaf = self.leaves.get(tag)
            if leaf is not None:
                if leaf.many:
                    values[leaf.name] = [*cast("list[str]", values.get(leaf.name, [])), *_texts(child)]
                else:
                    values.setdefault(leaf.name, _text(child))
            branch = self.branches.get(tag)
            if branch is not None:
                branch.read(child, values)


@dataclass(frozen=True, slots=True)
class XmlReader(Generic[RowT_co]):
    """Reads the resources of one interchange file; an item's line is that of its start tag."""

    source: Input
    interchange: Interchange
    resources: Sequence[Resource[RowT_co]]
    mapping: Mapping

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows. A malformed file ends in one rejection, with the line of the error."""
        namespace = self.interchange.namespace
        resources = {
            f"{{{namespace}}}{resource.element}": (resource, _branch(resource.fields, namespace))
            for resource in self.resources
        }
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{{namespace}}}{self.interchange.name}", *resources],
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        )
        root: etree._Element | None = None
        others: set[str] = set()
        left_out: Counter[str] = Counter()
        for chunk in chain(self._chunks(log), [b""]):
            if isinstance(chunk, Rejection):
                yield chunk
                return
            fault = _feed(parser, chunk)
            for event, element in _events(parser):
                if root is None:
                    root = element
                    if root.getroottree().docinfo.internalDTD is not None:
                        yield Rejection(self.source.name, 1, None, _DOCTYPE)
                        return
                elif event == "end" and element.getparent() is root:
                    yield from self._found(element, *resources[str(element.tag)], left_out)
            if fault is not None:
                yield Rejection(self.source.name, fault, None, _MALFORMED)
                return
            if root is not None:
                others.update(str(child.tag) for child in root if isinstance(child.tag, str))
                del root[:-1]  # all but the last are complete; the last may still be open
        self._tell(log, left_out, {etree.QName(tag).localname for tag in others} - self.interchange.elements)

    def _tell(self, log: ReadLog, left_out: Counter[str], unread: set[str]) -> None:
        """Say what of the file was not read."""
        for resource in self.resources:
            told = resource.told(self.source.name, left_out[resource.element])
            if told is not None:
                log.warn(told)
        if unread:
            log.warn(f"{self.source.name}: not read are the elements {', '.join(sorted(unread))}")

    def _chunks(self, log: ReadLog) -> Iterator[bytes | Rejection]:
        try:
            yield from self.source.chunks(log)
        except BrokenFileError as error:
            yield Rejection(self.source.name, 1, None, f"{error}; what comes before was read and the rest skipped")

    def _found(
        self, element: etree._Element, resource: Resource[RowT_co], branch: _Branch, left_out: Counter[str]
    ) -> Iterator[Found[RowT_co]]:
        values: dict[str, object] = {}
        branch.read(element, values)
        row = resource.parse(values, self.mapping)
        line = _start_line(element)
        if isinstance(row, RowError):
            yield Rejection.of(row, self.source.name, line)
        elif row is not None:
            yield Item(row, self.source.name, line)
        else:
            left_out[resource.element] += 1


def _events(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
    for event, element in parser.read_events():
        if isinstance(element, etree._Element):
            yield event, element


def _start_line(element: etree._Element) -> int:
    """The line of the start tag.

    libxml2 keeps 16 bits of it; beyond, it gives the line at which the first text inside ends.
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


def _branch(fields: tuple[Field, ...], namespace: str) -> _Branch:
    branch = _Branch()
    for one in fields:
        if one.xml:
            branch.put(one, namespace)
    return branch


def _text(element: etree._Element) -> str:
    """All text in it."""
    return cast("str", _STRING(element)) if len(element) else element.text or ""


def _texts(element: etree._Element) -> list[str]:
    """Its own pieces of text, without those of what is in it."""
    return cast("list[str]", _TEXTS(element)) if len(element) else [element.text] if element.text else []
