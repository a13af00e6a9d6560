from __future__ import annotations

import socket

from services.platform.embedded.ports import HIGHEST, LOWEST, accepts_connections, free_port


def test_a_set_port_is_taken_as_it_is() -> None:
    assert free_port(9092, taken=set()) == 9092


def test_free_ports_differ_and_avoid_those_of_outgoing_connections() -> None:
    taken: set[int] = set()
    ports = [free_port(taken=taken) for _ in range(20)]
    assert len(set(ports)) == 20
    assert all(LOWEST <= port <= HIGHEST for port in ports)


async def test_only_a_listening_address_accepts_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert await accepts_connections(address)
    assert not await accepts_connections(address)
