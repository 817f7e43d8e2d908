"""What the process of `ltc` agrees on with the process that starts it."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of shells."""
SUPERVISED = "--with-parent"
"""The flag of a worker that is started by `ltc worker all`."""
