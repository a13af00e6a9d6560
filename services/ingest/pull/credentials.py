"""The file that says as whom an API is asked."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from services.platform.errors import OperatorError


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What an API calls key and secret."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


def read_credentials(path: Path, warn: Callable[[str], None]) -> ClientCredentials:
    """What the TOML file says; warns when others may read it.

    Raises `OperatorError` when it cannot be used, and `OSError`.
    """
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        warn(f"{path} may be read by others. Run `chmod 600 {path}`, and ask for a new secret if someone has read it.")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise OperatorError(f'{path} is not TOML. It should hold client_id = "…" and client_secret = "…".') from None
    found = given.get("client_id"), given.get("client_secret")
    if not all(isinstance(one, str) and one for one in found):
        raise OperatorError(f'{path} should hold client_id = "…" and client_secret = "…", and one is missing.')
    return ClientCredentials(str(found[0]), str(found[1]))
