"""From operations to rows: net effect per key, buffers, encodings, checkpoints."""
