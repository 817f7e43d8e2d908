"""Kafka: the only package that knows of it. CloudEvents in binary mode, topics, producing, polling."""
