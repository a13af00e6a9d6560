"""The audit's chain and checkpoints, on plain data."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ingest.audit.chain import BEFORE_THE_FIRST, Link, canonical, link_hash
from services.ingest.audit.checkpoints import CheckpointError, load_key, read_checkpoint, read_folder, signed
from services.ingest.audit.verifying import ChainWalk

AT = datetime(2016, 12, 5, 13, 0, 0, 42, tzinfo=UTC)


def entry(number: int, **more: object) -> dict[str, Any]:
    return {
        "entry": number,
        "at": AT,
        "subject": "Ana Peña",
        "role": "caseworker",
        "agency": None,
        "action": "GET /v1/alerts",
        "students": ["-b", "a"],
        "consents": [date(2016, 9, 1), None],
        "purpose": "homelessness-prevention",
        "agreement": "DSA-2016/1",
        "outcome": "allowed",
    } | more


def chain(length: int) -> list[dict[str, Any]]:
    rows, digest = [], BEFORE_THE_FIRST
    for seq in range(1, length + 1):
        said = entry(seq * 2)
        digest = link_hash(digest, said)
        rows.append({**said, "seq": seq, "hash": digest, "is_there": True})
    return rows


def first_bad(rows: list[dict[str, Any]], *checkpoints: str) -> int | None:
    walk = ChainWalk([read_checkpoint(one, None) for one in checkpoints])
    if all(walk.follow(row) for row in rows):
        walk.end()
    return walk.first_bad


def test_an_entry_has_one_form() -> None:
    form = (
        '{"action":"GET /v1/alerts","agency":null,"agreement":"DSA-2016/1","at":"2016-12-05T13:00:00.000042+00:00",'
        '"consents":["2016-09-01",null],"entry":1,"outcome":"allowed","purpose":"homelessness-prevention",'
        '"role":"caseworker","students":["-b","a"],"subject":"Ana Peña"}'
    ).encode()
    assert canonical(entry(1)) == form
    elsewhere = dict(reversed(entry(1, at=AT.astimezone(ZoneInfo("America/New_York"))).items()))
    assert canonical(elsewhere) == form
    assert link_hash(b"before", entry(1)) == hashlib.sha256(b"before" + form).digest()


@pytest.mark.parametrize("column", entry(1))
def test_a_change_of_any_column_is_found(column: str) -> None:
    rows = chain(4)
    assert first_bad(rows) is None
    other: dict[str, Any] = {"entry": 99, "at": AT.replace(microsecond=43), "students": ["a"], "consents": [None, None]}
    rows[2][column] = other.get(column, "changed")
    assert first_bad(rows) == 3


def test_a_gap_a_deleted_entry_and_a_changed_hash_are_found() -> None:
    gap = chain(4)
    del gap[1]
    deleted = chain(4)
    deleted[1]["is_there"] = False
    changed = chain(4)
    changed[1]["hash"] = bytes(32)
    assert [first_bad(rows) for rows in (gap, deleted, changed, chain(4)[1:], [])] == [2, 2, 2, 1, None]


def test_a_checkpoint_finds_a_chain_that_is_shorter_or_another(tmp_path: Path) -> None:
    key, rows = load_key(tmp_path / "secrets" / "audit.jwk"), chain(4)
    taken = signed(Link(3, rows[2]["hash"]), key)
    assert first_bad(rows, taken) is None
    assert first_bad(rows[:2], taken) == 3
    assert first_bad(rows, taken, signed(Link(2, bytes(32)), key)) == 2
    assert json.loads(taken).keys() == {"seq", "hash", "at", "key", "signature"}
    assert "d" not in json.loads(taken)["key"]


@pytest.mark.parametrize("change", [{"seq": 2}, {"hash": "00"}, {"at": "later"}, {"signature": "a.b.c"}, {"key": {}}])
def test_a_checkpoint_that_was_changed_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    content = json.loads(signed(Link(3, b"x"), load_key(tmp_path / "secrets" / "audit.jwk")))
    with pytest.raises(CheckpointError):
        read_checkpoint(json.dumps(content | change), None)


def test_the_key_of_this_installation_counts(tmp_path: Path) -> None:
    ours, folder = tmp_path / "secrets" / "audit.jwk", tmp_path / "kept"
    folder.mkdir()
    link = Link(3, b"x")
    (folder / "1.json").write_text(signed(link, load_key(ours)))
    (folder / "2.json").write_text(signed(link, load_key(tmp_path / "elsewhere" / "audit.jwk")))
    (folder / "3.json").write_text("[]")
    found, wrong = read_folder(folder, ours)
    assert ([one.seq for one in found], [line[:6] for line in wrong]) == ([3], ["2.json", "3.json"])
    found, wrong = read_folder(folder, tmp_path / "none")
    assert ([one.seq for one in found], [line[:6] for line in wrong]) == ([3, 3], ["3.json"])
    assert ours.stat().st_mode & 0o777 == 0o600
