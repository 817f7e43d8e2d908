"""The data folder of the embedded server."""

import os
import sys
from pathlib import Path


def default_home() -> Path:
    """The default folder: the user's data folder; for root, the folder for services of the machine.

    Root's server runs as a user of its own, who must reach the folder, so it cannot be in root's home. On macOS another folder
    is used, since the wheel cannot handle the space in the path of the data folder.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/ltc-events")
    if sys.platform == "darwin":
        return Path("~/.local/share/ltc-events").expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("ltc-events", appauthor=False))
