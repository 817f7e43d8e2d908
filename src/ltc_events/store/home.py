"""Where the embedded server keeps its data."""

import os
import sys
from pathlib import Path


def default_home() -> Path:
    """The user's data folder; for root, the place of the machine's services.

    Root's server runs as a user of its own, who must be able to reach the folder: so it cannot be in root's home. And
    the wheel cannot handle a space in its path, which the data folder has on macOS.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/ltc-events")
    if sys.platform == "darwin":
        return Path("~/.local/share/ltc-events").expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("ltc-events", appauthor=False))
