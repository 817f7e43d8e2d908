"""Data out: queries of one's own as the reader, read tables, reports and events as files, and finding what a number means."""
