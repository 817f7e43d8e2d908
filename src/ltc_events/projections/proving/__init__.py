"""Proves that a read table equals what the store's events give, and finds differences."""
