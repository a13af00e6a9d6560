"""What goes to Kafka: batches of marks, what is pending, dead letters."""
