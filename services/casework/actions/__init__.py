"""What people do about alerts: taken over HTTP, kept, and published to `case.actions.v1`."""
