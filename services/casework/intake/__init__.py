"""What comes in: the events of `alerts.v1`."""
