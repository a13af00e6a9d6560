"""Ed-Fi XML interchange files, read as a stream: of the tree, no more than one chunk of the file is ever held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Generic

from lxml import etree

from services.ingest.fields import Values
from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT
from services.ingest.formats.edfi import Field, Resource
from services.ingest.rows import RowError

_NAMESPACE: Final = "{http://ed-fi.org/5."
_CHUNK: Final = 64 * 1024

_MALFORMED: Final = "expected well-formed XML; what comes before was read, what comes after was not: export it again"
_DOCTYPE: Final = "expected an interchange file without a DOCTYPE; the file was skipped"


def interchange_of(path: Path) -> str | None:
    """The name of the root element of an Ed-Fi 5.x interchange, else None. Raises `OSError`."""
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True)
    with path.open("rb") as file:
        try:
            parser.feed(file.read(_CHUNK))
        except etree.XMLSyntaxError:
            pass  # the root may stand before the error, and reading tells of it
    root = next((element for _, element in parser.read_events()), None)
    if root is None or not str(root.tag).startswith(f"{_NAMESPACE}"):
        return None
    name = etree.QName(root).localname
    return name if name.startswith("Interchange") else None


@dataclass(frozen=True, slots=True)
class XmlReader(Generic[RowT]):
    """Reads the resources of one interchange file; the line of an item is that of its start tag."""

    path: Path
    resources: Sequence[Resource[RowT]]

    def read(self, log: ReadLog) -> Iterator[Found[RowT]]:
        """The rows. A malformed file ends in a rejection with the line of the error."""
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=["{*}" + name for name in self._roots()],
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        )
        stream = _Stream(parser)
        with self.path.open("rb") as file:
            while stream.open:
                chunk = file.read(_CHUNK)
                log.bytes_read += len(chunk)
                line = stream.feed(chunk)
                for element in stream.ended():
                    yield from self._found(element)
                if stream.has_doctype:
                    yield Rejection(self.path.name, 1, None, _DOCTYPE)
                    return
                if line is not None:
                    yield Rejection(self.path.name, line, None, _MALFORMED)
