"""The command pipeline: load, decide, append, for a batch at a time; and the rules that cross aggregates."""
