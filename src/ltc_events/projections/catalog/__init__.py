"""The read tables that the database holds, the source of their events, and their status."""
