"""Processes between Kafka, the store and the read tables: thin loops, each of which may be killed at any moment."""
