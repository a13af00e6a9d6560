"""The ledger of erasures as a file beside the master key: what was written is read, whatever a crash left behind."""

from __future__ import annotations

import gc
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaError

from services.platform.erasure.copies import append_file, read_file, read_topic
from services.platform.erasure.entry import LedgerEntry
from services.platform.settings import SettingsError


def entry(*, held: bool = False) -> LedgerEntry:
    return LedgerEntry.model_validate(
        {
            "id": uuid4(),
            "student": "AAECAw==",
            "agreement": "DSA-2016",
            "recipient": "project-hope",
            "pseudonym": "p" * 22,
            "slot": 7,
            "because": "withdrawn",
            "ended_on": date(2016, 12, 9),
            "at": datetime(2016, 12, 9, 14, tzinfo=UTC),
            "by": "district",
            "held": held,
        }
    )


def test_what_is_appended_is_read_and_for_the_owner_alone(tmp_path: Path) -> None:
    path, first, second = tmp_path / "secrets" / "ledger.jsonl", entry(), entry()
    append_file(path, [first])
    append_file(path, [second])
    append_file(path, [first, second])
    assert path.read_bytes().count(b"\n") == 2
    assert read_file(path) == {first.id: first, second.id: second}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_there_is_none_yet(tmp_path: Path) -> None:
    assert read_file(tmp_path / "ledger.jsonl") == {}


def test_the_last_word_on_an_entry_holds(tmp_path: Path) -> None:
    path, held = tmp_path / "ledger.jsonl", entry(held=True)
    released = held.model_copy(update={"held": False})
    append_file(path, [held, released])
    assert read_file(path) == {held.id: released}


def test_a_line_that_a_crash_cut_short_is_passed_over_and_the_next_is_whole(tmp_path: Path) -> None:
    path, first, cut, second = tmp_path / "ledger.jsonl", entry(), entry(), entry()
    append_file(path, [first, cut])
    path.write_bytes(path.read_bytes()[:-30])
    assert read_file(path) == {first.id: first}
    append_file(path, [second])
    assert read_file(path).keys() == {first.id, second.id}


def test_a_line_that_is_no_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    append_file(path, [entry()])
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(SettingsError, match="line 2 is no entry"):
        read_file(path)


async def test_a_copy_that_is_away_leaves_nothing_open() -> None:
    with pytest.raises(KafkaError):
        await read_topic("127.0.0.1:9", "origin")
    gc.collect()  # a client that is still open then says so, which fails the test
