"""Who may see a student, and who has looked."""
