"""Checkpoints: the head of the chain, signed, in a file that is kept elsewhere.

Who can write to the database can compute the whole chain anew; against a checkpoint that shows.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.audit.chain import Link, head, in_utc
from services.ingest.settings import IngestSettings
from services.platform.errors import OperatorError
from services.platform.processes import write_atomically
from services.platform.secret_file import load_secret
from services.platform.settings import SettingsError

log = logging.getLogger(__name__)

ALGORITHM: Final = "Ed25519"
LOOK_SECONDS: Final = 60.0
"""How often a day's file is looked for."""


class CheckpointError(OperatorError):
    """A file is no checkpoint of this audit; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What is signed: the head of the chain as it was at a moment."""

    seq: int
    hash: str
    at: str


def load_key(path: Path) -> OKPKey:
    """The key in the file, which is made when there is none; raises `SettingsError`."""
    content = load_secret(path, _new_key, "key of the audit's checkpoints")
    try:
        return OKPKey.import_key(json.loads(content))
    except (JoseError, ValueError, TypeError, KeyError):
        raise SettingsError(f"{path} is not a private JWK (OKP, Ed25519). Restore the right file.") from None


def signed(link: Link, key: OKPKey) -> str:
    """The file's text: the head, now, with the public key and a signature over it."""
    said = asdict(SignedHead(link.seq, link.hash.hex(), in_utc(datetime.now(UTC))))
    signature = jws.serialize_compact({"alg": ALGORITHM}, json.dumps(said), key, algorithms=[ALGORITHM])
    return json.dumps({**said, "key": key.as_dict(private=False), "signature": signature}, indent=1) + "\n"


def read_checkpoint(content: str, key: OKPKey | None) -> SignedHead:
    """What a file says; raises `CheckpointError` when the key, or without one that of the file, did not sign it."""
    try:
        document: dict[str, Any] = json.loads(content)
        by = OKPKey.import_key(document["key"]) if key is None else key
        payload = jws.deserialize_compact(document["signature"], by, algorithms=[ALGORITHM]).payload
        found = SignedHead(**json.loads(payload))
        if asdict(found) != {name: document[name] for name in asdict(found)}:
            raise CheckpointError("it says another thing than what was signed")
    except JoseError:
        raise CheckpointError("its signature is not this audit's") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CheckpointError("it is no checkpoint") from None
    return found


def read_folder(folder: Path, key_file: Path) -> tuple[list[SignedHead], list[str]]:
    """The folder's checkpoints, and what is wrong with files that are none.

    The key that counts is this installation's; only where there is none, the one in each file.
    """
    key = load_key(key_file) if key_file.exists() else None
    found: list[SignedHead] = []
    wrong: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(read_checkpoint(path.read_text(encoding="utf-8"), key))
        except (CheckpointError, UnicodeDecodeError) as error:
            wrong.append(f"{path.name}: {error}")
    return found, wrong


async def write_checkpoint(engine: AsyncEngine, key_file: Path, path: Path) -> int | None:
    """Sign the head and keep it in the file; its seq, or None when the chain is empty and nothing is written."""
    async with engine.connect() as connection:
        link = await head(connection)
    if link is None:
        return None
    text = signed(link, load_key(key_file))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(path, text)
    return link.seq


async def checkpoint_daily(engine: AsyncEngine, settings: IngestSettings) -> None:
    """Keep a checkpoint a day in the folder of the settings."""
    while True:
        path = settings.checkpoints / f"checkpoint-{settings.wall_today()}.json"
        try:
            if not path.exists():
                await write_checkpoint(engine, settings.audit_key, path)
        except (SQLAlchemyError, OSError, SettingsError) as error:
            log.error("today's checkpoint of the audit is not written: %s", type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


def _new_key() -> bytes:
    key = OKPKey.generate_key(ALGORITHM, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return json.dumps(key.as_dict(private=True)).encode()
