"""Worker processes between Kafka, the store and the read tables: thin loops that may be killed at any moment."""
