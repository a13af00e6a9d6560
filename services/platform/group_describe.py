"""Kafka's ConsumerGroupDescribe (API key 69, KIP-848), which aiokafka does not have.

A group of the newer protocol, whose partitions the broker assigns, is described by nothing else. The
fields and their order are those of the protocol's version 0.
"""

from __future__ import annotations

from io import BytesIO
from typing import ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_TEXT = CompactString("utf-8")


class _Uuid:
    """Sixteen bytes, as they are."""

    @staticmethod
    def decode(data: BytesIO) -> bytes:
        return data.read(16)


_ASSIGNMENT = Schema(
    (
        "topic_partitions",
        CompactArray(
            ("topic_id", _Uuid), ("topic", _TEXT), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
        ),
    ),
    ("tags", TaggedFields),
)

_MEMBER = (
    ("member_id", _TEXT),
    ("instance_id", _TEXT),
    ("rack_id", _TEXT),
    ("member_epoch", Int32),
    ("client_id", _TEXT),
    ("client_host", _TEXT),
    ("subscribed_topics", CompactArray(_TEXT)),
    ("subscribed_regex", _TEXT),
    ("assignment", _ASSIGNMENT),
    ("target_assignment", _ASSIGNMENT),
    ("tags", TaggedFields),
)


class ConsumerGroupDescribeResponse(Response):  # type: ignore[misc]
    """`groups`: of each (error code, …, members); a member's assignment is its ninth field."""

    API_KEY = 69
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            CompactArray(
                ("error_code", Int16),
                ("error_message", _TEXT),
                ("group", _TEXT),
                ("state", _TEXT),
                ("group_epoch", Int32),
                ("assignment_epoch", Int32),
                ("assignor", _TEXT),
                ("members", CompactArray(*_MEMBER)),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ConsumerGroupDescribeStruct(RequestStruct):  # type: ignore[misc]
    """The request as it is sent."""

    API_KEY = 69
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = ConsumerGroupDescribeResponse
    SCHEMA = Schema(("groups", CompactArray(_TEXT)), ("authorized_operations", Boolean), ("tags", TaggedFields))


class ConsumerGroupDescribeRequest(Request[ConsumerGroupDescribeStruct]):  # type: ignore[misc]
    """Describe one group; raises aiokafka's `IncompatibleBrokerVersion` when the broker is older than this."""

    API_KEY: ClassVar[int] = 69

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[ConsumerGroupDescribeStruct]) -> ConsumerGroupDescribeStruct:
        """The request in the version that the broker and we both know."""
        return request_struct_class([self._group], False, {})
