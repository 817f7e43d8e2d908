"""`ltc`, also as `python -m ltc_events`."""

import sys

INTERRUPTED = 130
# The flag of a worker that is started by `ltc worker all`.
SUPERVISED = "--with-parent"
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line, also while it is being loaded."""
    try:
        from ltc_events.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
