"""Pseudonyms, slots, and the file that holds their key."""

from __future__ import annotations

import base64
import hmac
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.ids import SLOTS
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.platform.settings import SettingsError

KEY = bytes(range(32))
NAMES = Pseudonymizer(KEY)


def test_a_pseudonym_is_the_keyed_hash_of_kind_agency_and_id() -> None:
    expected = base64.urlsafe_b64encode(hmac.digest(KEY, b"student:hope:100234", "sha256"))[:22].decode()
    assert NAMES.student("hope", "100234") == expected


@given(st.text(min_size=1), st.text(min_size=1))
def test_students_households_agencies_and_keys_never_share_a_pseudonym(first: str, second: str) -> None:
    assert (NAMES.student("hope", first) == NAMES.student("hope", second)) == (first == second)
    assert NAMES.student("hope", first) != NAMES.student("other", first)
    assert NAMES.household("hope", first) != NAMES.household("other", first)
    assert str(NAMES.student("hope", first)) != str(NAMES.household("hope", first))
    assert NAMES.student("hope", first) != Pseudonymizer(KEY[::-1]).student("hope", first)
    assert re.fullmatch(r"[\w-]{22}", NAMES.student("hope", first))


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_siblings_share_a_slot(one: str, other: str, household: str) -> None:
    assert NAMES.slot(one, household) == NAMES.slot(other, household)
    assert 0 <= NAMES.slot(one, None) < SLOTS


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "pseudonym.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(path), range(16)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["pseudonym.key"]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_bytes(KEY)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_key(path)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="shorter"):
        Pseudonymizer(b"short")
