"""What is measured, a module each. Every engine runs as a process of its own."""
