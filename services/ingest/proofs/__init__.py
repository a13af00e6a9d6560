"""Proofs of erasure: what was removed of a student in each service, and who has confirmed that nothing is left."""
