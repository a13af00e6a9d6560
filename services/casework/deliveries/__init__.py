"""What was or will be sent about alerts."""
