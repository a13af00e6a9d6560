"""ConsumerGroupDescribe on the wire."""

from __future__ import annotations

import struct

from services.platform.group_describe import ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse


def text(value: str) -> bytes:
    return bytes([len(value) + 1]) + value.encode()


def test_the_request_names_the_group_in_the_flexible_format() -> None:
    request = ConsumerGroupDescribeRequest("g1").prepare({69: (0, 1)})
    assert request.encode() == bytes([2]) + text("g1") + bytes([0, 0])
    assert request.FLEXIBLE_VERSION


def test_a_members_partitions_are_found_in_the_answer() -> None:
    assignment = bytes([2]) + bytes(16) + text("marks") + bytes([3]) + struct.pack(">ii", 0, 2) + bytes([0, 0])
    nothing = bytes([1, 0])
    member = (
        text("m") + bytes([0, 0]) + struct.pack(">i", 1) + text("c") + text("h")
        + bytes([2]) + text("marks") + bytes([0]) + assignment + nothing + bytes([0])
    )  # fmt: skip
    group = (
        struct.pack(">h", 0) + bytes([0]) + text("g1") + text("Stable") + struct.pack(">ii", 1, 1) + text("uniform")
        + bytes([2]) + member + struct.pack(">i", -2147483648) + bytes([0])
    )  # fmt: skip
    answer = ConsumerGroupDescribeResponse.decode(struct.pack(">i", 0) + bytes([2]) + group + bytes([0]))
    [(code, _, name, *_, members, _, _)] = answer.groups
    [(_, topic, partitions, _)] = members[0][8][0]
    assert (code, name, topic, partitions) == (0, "g1", "marks", [0, 2])
