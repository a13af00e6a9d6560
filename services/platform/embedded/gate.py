"""Where a child process waits, its modules loaded, until its parent has made ready what it stands on."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, Self

VARIABLE: Final = "FIRSTBELL_GATE"
"""Names the file descriptor that a child waits at; without it there is no gate."""


class Gate:
    """A pipe that nobody writes to: its end is read once it is opened, also when the parent dies.

    A child that is started again later finds it open.
    """

    def __init__(self) -> None:
        self.fd, self._shut = os.pipe()
        self._is_open = False

    @property
    def environment(self) -> dict[str, str]:
        """What a child must know; `fd` has to be passed on to it."""
        return {VARIABLE: str(self.fd)}

    def open(self) -> None:
        """Let everyone through."""
        if not self._is_open:
            self._is_open = True
            os.close(self._shut)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open()
        os.close(self.fd)


def wait_until_open() -> None:
    """In a child: wait at the gate that its environment names, if any."""
    fd = os.environ.pop(VARIABLE, None)
    if fd is not None:
        with open(int(fd), "rb") as gate:  # noqa: PTH123 - a descriptor has no path
            gate.read()
