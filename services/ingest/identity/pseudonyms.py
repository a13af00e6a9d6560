"""Pseudonyms, slots and the key that makes them. The key never leaves the district's side."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from services.contracts.ids import SLOTS, HouseholdPseudonym, Pseudonym, Slot
from services.platform.secret_file import load_secret
from services.platform.settings import SettingsError

KEY_BYTES = 32
_LENGTH = 22
_ORIGIN = 12

Kind = Literal["student", "household"]


class Pseudonymizer:
    """Makes the keyed names under which students and households travel."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise SettingsError(f"The pseudonym key is shorter than {KEY_BYTES} bytes. Restore the right file.")
        self._key = key
        self._head_key = self._digest("key", "heads")

    def student(self, feed: str, student_id: str, generation: int = 0) -> Pseudonym:
        """The pseudonym under which a student is known in a feed: two agencies cannot join theirs.

        After each erasure a `generation` later, so that nobody can join what comes to what was.
        """
        return Pseudonym(self._name("student", f"{feed}#{generation}" if generation else feed, student_id))

    def digest(self, student_id: str) -> bytes:
        """By which the ledger of erasures knows the student, for every feed."""
        return self._digest("ledger", student_id)

    @property
    def origin(self) -> str:
        """A short name of the key, which gives nothing of it away: whose digests these are."""
        return self._digest("key", "origin").hex()[:_ORIGIN]

    def household(self, agency: str, household_id: str) -> HouseholdPseudonym:
        """The pseudonym under which the agency knows a household."""
        return HouseholdPseudonym(self._name("household", agency, household_id))

    def slot(self, student_id: str, household_id: str | None) -> Slot:
        """The slot of the household when it is known, else of the student."""
        kind: Kind = "household" if household_id else "student"
        return Slot(int.from_bytes(self._digest(f"slot:{kind}", household_id or student_id)[:8]) % SLOTS)

    def head(self, student_id: str) -> int:
        """A 64-bit keyed hash, by which heads are counted in memory; it is never stored or sent."""
        return int.from_bytes(blake2b(student_id.encode(), digest_size=8, key=self._head_key).digest())

    def _name(self, kind: Kind, whose: str, identifier: str) -> str:
        return base64.urlsafe_b64encode(self._digest(f"{kind}:{whose}", identifier))[:_LENGTH].decode()

    def _digest(self, kind: str, identifier: str) -> bytes:
        return hmac.digest(self._key, f"{kind}:{identifier}".encode(), "sha256")


def load_key(path: Path) -> bytes:
    """The key in the file, which is made (mode 0600) when there is none.

    Raises `SettingsError` when others may read it: whoever has the key can name every pseudonym.
    """
    return load_secret(path, lambda: secrets.token_bytes(KEY_BYTES), "pseudonym key")
