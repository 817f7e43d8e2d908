"""A broker in the foreground: `python -m ltc_events.bus [FOLDER]`. Its address is on stdout; Ctrl-C ends it."""

import signal
import sys
from pathlib import Path

from platformdirs import user_data_dir

from ltc_events.bus.local_broker import LocalBroker
from ltc_events.kernel.errors import LtcError

PORT = 9092


def main() -> None:
    """Start a broker, print its address, and run until SIGTERM or SIGINT."""
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(user_data_dir("ltc-events")) / "kafka"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with LocalBroker(home, PORT) as broker:
            print(f"export LTC_KAFKA_BOOTSTRAP={broker.bootstrap}", flush=True)
            try:
                broker.wait()
            except KeyboardInterrupt:
                print("stopping", file=sys.stderr)
    except LtcError as error:
        sys.exit(f"error {error.message}\nfix   {error.fix}")


if __name__ == "__main__":
    main()
