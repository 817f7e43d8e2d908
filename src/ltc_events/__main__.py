"""`python -m ltc_events` is `ltc`."""

from ltc_events.cli.main import main

if __name__ == "__main__":
    main()
