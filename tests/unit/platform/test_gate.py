from __future__ import annotations

import os
import subprocess
import sys

from services.platform.embedded.gate import Gate, wait_until_open

WAIT = """
from services.platform.embedded.gate import wait_until_open
print("loaded", flush=True)
wait_until_open()
print("through", flush=True)
"""


def child(gate: Gate) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WAIT],
        env={**os.environ, **gate.environment},
        pass_fds=[gate.fd],
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_children_wait_until_the_gate_is_opened_and_a_later_one_does_not() -> None:
    with Gate() as gate, child(gate) as first, child(gate) as second:
        assert [line(first), line(second)] == ["loaded", "loaded"]
        assert [first.poll(), second.poll()] == [None, None]
        gate.open()
        assert [line(first), line(second)] == ["through", "through"]
        with child(gate) as later:
            assert [line(later), line(later)] == ["loaded", "through"]


def test_a_child_whose_parent_is_gone_waits_no_longer() -> None:
    with Gate() as gate, child(gate) as process:
        assert line(process) == "loaded"
        os.close(gate._shut)
        gate._is_open = True
        assert line(process) == "through"


def test_without_a_gate_nobody_waits() -> None:
    wait_until_open()
