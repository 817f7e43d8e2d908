"""`ltc projections`: the read tables."""
