"""Erasure: what is left of a student whose consent ended is an entry in the ledger, and nothing else."""
