"""What is written to the table: sealed with the feed's key where it is about one student."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from services.contracts.packed import CipherOf
from services.contracts.sealed import new_nonces, seal, sealed_for, unseal
from services.contracts.topics import WINDOWS_CHANGELOG
from services.warning.cells import OpenBlock, seal_block
from services.warning.keys import SKIPPED
from services.warning.school_year import Sealed
from services.warning.stored import OfStudent

TOPIC: Final = WINDOWS_CHANGELOG.name


Open = OfStudent | OpenBlock | bytes | None
"""A value before it is sealed; bytes are about no single student."""


def students_in(changes: Iterable[tuple[str, Open]]) -> set[str]:
    """Those whose keys are needed to seal these."""
    found: set[str] = set()
    for _, value in changes:
        if isinstance(value, OfStudent):
            found.add(value.pseudonym)
        elif isinstance(value, OpenBlock):
            found.update(cell.pseudonym for cell in value.cells if isinstance(cell, OfStudent))
    return found


def seal_changes(changes: Sequence[tuple[str, Open]], cipher_of: CipherOf) -> list[tuple[str, bytes | None]]:
    """The changes as they are written; what is about a student whose key is gone is deleted instead.

    Raises what `cipher_of` raises.
    """
    return [(key, _sealed(value, cipher_of)) for key, value in changes]


def open_stored(value: bytes, cipher_of: CipherOf) -> bytes | None:
    """What was sealed; None when its key is gone. Raises `UnsealError`, and what `cipher_of` raises."""
    cipher = cipher_of(sealed_for(value))
    return None if cipher is None else unseal(cipher, TOPIC, value)


def _sealed(value: Open, cipher_of: CipherOf) -> bytes | None:
    if isinstance(value, OfStudent):
        return _seal(value, cipher_of) or None
    if not isinstance(value, OpenBlock):
        return value
    nonces = new_nonces(len(value.cells))
    cells = [_cell(cell, nonce, cipher_of) for cell, nonce in zip(value.cells, nonces, strict=True)]
    return seal_block(value, cells) if any(cells) else None


def _cell(cell: Sealed | OfStudent | None, nonce: bytes, cipher_of: CipherOf) -> bytes:
    if cell is None:
        return b""
    return cell.value if isinstance(cell, Sealed) else _seal(cell, cipher_of, nonce)


def _seal(open_: OfStudent, cipher_of: CipherOf, nonce: bytes | None = None) -> bytes:
    """Sealed; empty when the key is gone: then nothing may be kept."""
    cipher = cipher_of(open_.pseudonym)
    if cipher is None:
        SKIPPED.labels(TOPIC).inc()
        return b""
    return seal(cipher, TOPIC, open_.pseudonym, open_.value, nonce)
