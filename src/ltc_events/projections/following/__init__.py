"""Keeps read tables up with the log, from the store or from a topic."""
