"""Rebuilds read tables beside the shown ones, and switches readers over (blue/green)."""
