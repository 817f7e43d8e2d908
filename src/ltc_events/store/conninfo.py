"""Connection parameters: parsed and checked once, with the password file read again for each connection."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ltc_events.store.confidential import conceal
from ltc_events.store.errors import DatabaseUrlMalformed, PasswordUnreadable

_CONFIDENTIAL = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_URL = re.compile(r"postgres(?:ql)?://(?P<authority>[^/?]*)(?P<path>/[^?]*)?", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/?@]*?:(?P<password>[^@]*)@")


def parse(conninfo: str, setting: str) -> dict[str, Any]:
    """The parameters of a URL or of a libpq connection string, which came from `setting`.

    Raises DatabaseUrlMalformed, which shows nothing of it.
    """
    url = _URL.match(conninfo)
    if url and (found := _PASSWORD.search(conninfo)):
        conceal(found["password"])
        conceal(unquote(found["password"]))
    if "\0" in conninfo or any("\ud800" <= one <= "\udfff" for one in conninfo):
        raise DatabaseUrlMalformed(setting=setting, reason="it holds characters that are no text")
    if url and (url["authority"].count("@") > 1 or "@" in (url["path"] or "")):
        # libpq would take a part of the password for the host or the database, and tell it to everybody.
        raise DatabaseUrlMalformed(setting=setting, reason="there is more than one @ before its database's name ends")
    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        # What stands in quotes is from the string itself, and may be the password or a part of it.
        reason = re.sub(r'".*"', '"…"', str(error).strip(), flags=re.DOTALL)
        raise DatabaseUrlMalformed(setting=setting, reason=reason) from None
    port = str(given.get("port") or "")
    if not all(one == "" or (one.isascii() and one.isdigit() and int(one) <= 65_535) for one in port.split(",")):
        raise DatabaseUrlMalformed(setting=setting, reason="its port is not a number up to 65535")
    for name in _CONFIDENTIAL:
        conceal(str(given.get(name) or ""))
    conceal(os.environ.get("PGPASSWORD"))
    return given


def password_of(file: Path, setting: str) -> str:
    """What a file with a password, named by `setting`, holds now. Raises PasswordUnreadable."""
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise PasswordUnreadable(setting=setting, file=file, reason="it is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise PasswordUnreadable(setting=setting, file=file, reason=error) from error
    if "\0" in password:
        raise PasswordUnreadable(setting=setting, file=file, reason="it holds a NUL")
    conceal(password)
    return password
