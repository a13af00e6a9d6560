"""The strongest engine there is, Kafka Streams on the JVM, with a program as small as the other peers'."""
