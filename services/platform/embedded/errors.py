"""What can go wrong with the embedded stack. Every message says what to do next.

EmbeddedError
├── DataDirInUseError   another process runs a stack on this folder
├── JarsError           Kafka's jars cannot be had or are not what the lock says
├── JavaError           no Java 17 or newer
├── PostgresError       PostgreSQL cannot be run here
└── PrepareError        topics or schemas cannot be made
"""

from __future__ import annotations

from services.platform.errors import OperatorError


class EmbeddedError(OperatorError):
    """The embedded stack cannot run."""


class DataDirInUseError(EmbeddedError):
    """Another process runs a stack on this folder."""


class JarsError(EmbeddedError):
    """Kafka's jars cannot be had, or are not what the lock says."""


class JavaError(EmbeddedError):
    """There is no Java that runs Kafka."""


class PostgresError(EmbeddedError):
    """PostgreSQL cannot be run here."""


class PrepareError(EmbeddedError):
    """The topics or the database's schemas cannot be made."""
