"""Whether a read table is what the store says, and what differs."""
