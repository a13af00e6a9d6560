"""What alerts were worth, by how cases ended: aggregates alone."""
