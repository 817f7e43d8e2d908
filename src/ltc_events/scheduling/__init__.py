"""What time causes: which commands are due, found in the read tables. The clock worker sends them."""
