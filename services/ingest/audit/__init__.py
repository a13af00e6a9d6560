"""The audit's chain: entries linked by hash, the head signed, and the whole looked over and handed out."""
