"""Data access: read-only queries, exports of read tables, reports and events to files, and search."""
