"""Free ports for the children, chosen by the parent so that a restarted child keeps its own; and who listens."""

from __future__ import annotations

import asyncio
import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below the range from which systems take the ports of outgoing connections. A client that keeps trying a port inside
that range while its server restarts can end up connected to itself and hold the port."""

_TRIES = 200


def free_port(wanted: int = 0, *, taken: set[int]) -> int:
    """`wanted` as it is, or for 0 a port on which nothing listens; it is added to `taken`, none of which is returned.

    Raises `OSError` when no free port was found.
    """
    if wanted:
        taken.add(wanted)
        return wanted
    for _ in range(_TRIES):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 - not a secret
        if port not in taken and _is_free(port):
            taken.add(port)
            return port
    raise OSError(f"No free port between {LOWEST} and {HIGHEST} on 127.0.0.1. Set the ports in the settings.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def accepts_connections(address: str) -> bool:
    """Whether something listens on `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    writer.close()
    return True
