"""A student's engagement, judged from what ingest keeps for the agency's live purpose."""
