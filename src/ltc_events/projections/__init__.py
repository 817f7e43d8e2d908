"""Read tables derived from the event log: declared once, folded to the net effect per key, written set-based."""
