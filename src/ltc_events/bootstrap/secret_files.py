"""Secrets in files, read on each use, and registered to be removed from all output."""

from pathlib import Path

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.store.confidential import conceal


class SecretUnreadable(LtcError):
    """the secret of {setting} cannot be read from {file}: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = "give {setting} a file that this user may read, with one line of text in it"


def read_secret(setting: str, file: Path) -> str:
    """The content of the file without its line end. Raises SecretUnreadable, which names the setting."""
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretUnreadable(setting=setting, file=file, reason="it is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise SecretUnreadable(setting=setting, file=file, reason=getattr(error, "strerror", None) or error) from error
    if not secret or "\0" in secret:
        raise SecretUnreadable(setting=setting, file=file, reason="it is empty" if not secret else "it holds a NUL")
    conceal(secret)
    return secret
