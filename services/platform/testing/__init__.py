"""Fakes for anybody's tests: Kafka's producers, a Faust table, and every order in which things may happen."""
