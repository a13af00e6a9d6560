"""Who was shown what of whom: one entry an answer, committed before its first byte."""
