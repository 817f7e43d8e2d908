"""Ours beside a peer or a limit, measured in the same run on the same server: `python -m benchmarks`."""
