"""An ODS that listens on a free port, in a thread of the test's process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

import uvicorn

from tests.ods.app import Ods, create_ods


@contextmanager
def listening(ods: Ods) -> Iterator[str]:
    """Its URL, for as long as the block runs. Raises `TimeoutError` if it does not start within ten seconds."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_ods(ods), log_config=None, access_log=False, lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        try:
            _await_start(server)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(10)


def _await_start(server: uvicorn.Server) -> None:
    until = monotonic() + 10
    while not server.started:
        if monotonic() > until:
            raise TimeoutError("the ODS did not start")
        sleep(0.01)
