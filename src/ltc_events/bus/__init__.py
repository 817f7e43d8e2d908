"""Kafka: the only package that knows of it. CloudEvents in binary mode, topics, producing, polling."""

import logging

# What goes wrong is raised, and logged once by whoever handles it; the client would say it again at every attempt.
logging.getLogger("kafka").addHandler(logging.NullHandler())
