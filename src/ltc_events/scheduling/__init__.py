"""Due commands, found in the read tables; the clock worker sends them."""
