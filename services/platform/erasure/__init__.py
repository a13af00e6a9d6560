"""What was erased: the ledger, its copies beside the dumps, and how services confirm that nothing is left."""
