"""Logging set up once per process: one line an event, on stderr, in UTC."""

from __future__ import annotations

import logging
import time


def configure_logging(level: str = "INFO") -> None:
    """Log to stderr. Callers log counts, topics and offsets; never a name or a district's id."""
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
