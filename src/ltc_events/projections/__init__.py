"""Read tables that follow the event log: declared once, reduced to the net effect per key, written set-based."""
