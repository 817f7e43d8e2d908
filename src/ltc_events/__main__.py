"""`ltc`, also as `python -m ltc_events`."""

import sys

from ltc_events.cli.process import INTERRUPTED


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
