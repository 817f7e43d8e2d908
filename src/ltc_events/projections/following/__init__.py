"""Keeping read tables up with the log, fed by the store or by a topic."""
