"""What a consent says, what a student's consents come to, and what follows in the database."""
