"""Every event and topic that crosses Kafka: plain pydantic, versioned, no I/O."""
