"""Builds a partition from what the table holds of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from models.policy import Policy
from services.warning.in_use import InUse
from services.warning.partition import Partition
from services.warning.steering import StoredSteering
from services.warning.stored_school import load_school
from services.warning.student import load
from services.warning.teller import show

_decode_steering = msgspec.msgpack.Decoder(StoredSteering).decode


def load_partition(items: Mapping[str, bytes], policy: Policy, in_use: InUse) -> Partition:
    """The partition as it was last written; keys are those of `Partition.take_changes`."""
    steering = in_use.steering()
    partition = Partition(policy, steering)
    for key, value in items.items():
        kind, _, name = key.partition("|")
        if kind == "r":
            steering.restore(_decode_steering(value))
        elif kind == "c":
            partition.schools[name] = load_school(value, policy)
        elif kind == "s":
            partition.add(load(value))
    if steering.last is not None:
        show(steering.last)
    return partition
