"""The only package that imports Kafka's client: CloudEvents in binary mode, topics, producing, consuming."""

import logging

# What goes wrong is raised, and logged once by whoever handles it; the client would say it again at every attempt.
logging.getLogger("kafka").addHandler(logging.NullHandler())
