"""Reads an agreement's file, and names everything that is wrong with it: a line and a field an error, all at once."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from services.ingest.agreement.document import Agreement
from services.platform.errors import OperatorError
from services.platform.sharing import ANY, ATTENDANCE

FILE: Final = "agreement.toml"
"""Its name in a folder of files."""

Place = tuple[str | int, ...]

_TABLE: Final = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
_FIELD: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_SYNTAX: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)$")


class AgreementFault(NamedTuple):
    """One thing that is wrong with a file."""

    line: int
    field: str
    what: str


class AgreementError(OperatorError):
    """The file is no agreement; its text has a line for each thing that is wrong."""

    def __init__(self, path: Path, wrong: Sequence[AgreementFault]) -> None:
        lines = (f"{path}:{line}: {f'{field}: ' if field else ''}{what}" for line, field, what in wrong)
        super().__init__("\n".join(lines))
        self.wrong = tuple(wrong)


def load_agreement(path: Path) -> Agreement:
    """The agreement in the file; raises `AgreementError` with all that is wrong, and `OSError`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AgreementError(path, (AgreementFault(1, "", "expected text in UTF-8"),)) from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AgreementError(path, (_not_toml(str(error), text),)) from error
    lines = _Lines(text)
    wrong = [AgreementFault(lines.of(place), _name(place), what) for place, what in _wrong(content)]
    if wrong:
        raise AgreementError(path, tuple(sorted(set(wrong))))
    return Agreement.model_validate(content)


def _wrong(content: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    try:
        Agreement.model_validate(content)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            if one["type"] != "too_short" or not _has_items(content, one["loc"]):
                yield one["loc"], _plain(one["type"], one["msg"])
    if content.get("id") == ANY:
        yield ("id",), "expected a name"
    yield from _dates(content)
    yield from _parties(content)
    yield from _disclosures(content)


def _plain(kind: str, message: str) -> str:
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        return "no such field"
    return message[0].lower() + message[1:]


def _dates(content: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for earlier, later in (("effective_on", "expires_on"), ("expires_on", "destroy_by")):
        first, last = content.get(earlier), content.get(later)
        if type(first) is date and type(last) is date and first > last:
            yield (later,), f"expected no day before {earlier}"


def _parties(content: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    ids = [_text(party, "id") for party in _tables(content, "party")]
    for number, party in enumerate(ids):
        if party is not None and party in ids[:number]:
            yield ("party", number, "id"), "another party has this id"


def _disclosures(content: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    roles = {_text(party, "id"): _text(party, "role") for party in _tables(content, "party")}
    purposes: dict[object, object] = {}
    covered: set[tuple[object, ...]] = set()
    for number, each in enumerate(_tables(content, "disclosure")):
        to, form, purpose = _text(each, "to"), _text(each, "form"), _text(each, "purpose")
        place: Place = ("disclosure", number)
        if to is not None and to not in roles:
            yield (*place, "to"), "no party has this id"
        for name in ("schools", "records"):
            if len(set(_listed(each, name))) < len(_listed(each, name)):
                yield (*place, name), "expected each once"
        if ANY in _listed(each, "schools"):
            yield (*place, "schools"), "name each school"
        mine = {(to, purpose, form, school) for school in _listed(each, "schools")}
        if mine & covered:
            yield (*place, "schools"), "another disclosure gives the party one of these in this form for this purpose"
        covered |= mine
        if form == "live":
            yield from (((*place, name), what) for name, what in _live(each, roles.get(to)))
            if purposes.setdefault(to, purpose) != purpose:
                yield (*place, "purpose"), "expected one purpose for all that is live to a party"


def _live(disclosure: Mapping[str, Any], role: object) -> Iterator[tuple[str, str]]:
    if role not in {"agency", None}:
        yield "form", "live is for a party of role agency"
    if ATTENDANCE not in _listed(disclosure, "records"):
        yield "records", "live needs attendance"


def _tables(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    tables = content.get(name)
    if not isinstance(tables, list):
        return []
    return [cast("Mapping[str, Any]", each) if isinstance(each, dict) else {} for each in tables]


def _listed(table: Mapping[str, Any], name: str) -> list[str]:
    values = table.get(name)
    return [str(value).strip() for value in values] if isinstance(values, list) else []


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value = table.get(name)
    return value if isinstance(value, str) else None


def _has_items(content: Mapping[str, Any], place: Place) -> bool:
    """Whether a list that is too short is so only because what is in it is wrong, which is said of its items."""
    here: Any = content
    for part in place:
        here = here[part]
    return bool(here)


def _name(place: Iterable[str | int]) -> str:
    """As a person counts: `disclosure 2 form`."""
    return " ".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _not_toml(message: str, text: str) -> AgreementFault:
    found = _SYNTAX.fullmatch(message)
    what, line = (found[1], found[2]) if found else (message, None)
    return AgreementFault(int(line or text.count("\n") + 1), "", f"this is not TOML: {what[0].lower()}{what[1:]}")


class _Lines:
    """On which line each table and field stands."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        numbers: Counter[str] = Counter()
        table: Place = ()
        for line, content in enumerate(text.splitlines(), start=1):
            if found := _TABLE.match(content):
                table = (found[1], numbers[found[1]])
                numbers[found[1]] += 1
                self._lines[table] = line
            elif found := _FIELD.match(content):
                self._lines[*table, found[1]] = line

    def of(self, place: Place) -> int:
        """The line of the place, else of what it lies in."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)
