"""What the settings say about the database is checked once, and no part of it is told that may be a password."""

import traceback
from pathlib import Path

import psycopg
import pytest

from ltc_events.store import Database, DatabaseUnreachable, DatabaseUrlMalformed, PasswordUnreadable, Role
from ltc_events.store.confidential import conceal, without_secrets
from ltc_events.store.conninfo import password_of

CANARY = "CANARY-in-the-mine"
MALFORMED = (
    f"postgresql://u:{CANARY}@host:seven/d",
    f"postgresql://u:{CANARY}@host:70000/d",
    f"postgresql://u:x@{CANARY}@host/d",
    f"postgresql://u:12/{CANARY}@host/d",
    f"postgresql://u:%zz{CANARY}@host/d",
    f"postgresql://u:{CANARY}@[::1/d",
    f"postgresql://u:{CANARY}@host/d?colour=red",
    f"postgres//u:{CANARY}@host",
    f"mysql://u:{CANARY}@host/d",
    f"host=x password=a {CANARY}",
    f"host=x pasword={CANARY}",
    f"host=x password='{CANARY}",
    f'host=x password="{CANARY} "and more"',
    f"host=x\0password={CANARY}",
    f"postgresql://u:{CANARY}\udcff@host/d",
    CANARY,
)
UNREACHABLE = (
    f"postgresql://u:{CANARY}@127.0.0.1:1/d",
    f"postgresql://u:{CANARY}@127.0.0.1:1/d?sslmode=wrong",
    f"postgresql://127.0.0.1:1/d?user=u@corp&password={CANARY}",
    f"host=127.0.0.1 port=1 user=u password='{CANARY}'",
    f"host=127.0.0.1 port=1 user=u password={CANARY} connect_timeout=never",
    f"host={CANARY} password={CANARY}",
)


@pytest.mark.parametrize("conninfo", MALFORMED)
def test_what_cannot_be_understood_is_refused_without_showing_it(conninfo: str) -> None:
    with pytest.raises(DatabaseUrlMalformed) as refused:
        Database(conninfo)
    told = "".join(traceback.format_exception(refused.value)) + refused.value.message + refused.value.fix
    assert CANARY not in told
    assert "LTC_DATABASE_URL" in told


@pytest.mark.parametrize("conninfo", UNREACHABLE)
def test_no_password_is_told_of_a_database_that_is_not_reached(conninfo: str) -> None:
    with pytest.raises(DatabaseUnreachable) as refused:
        Database(conninfo).connect(Role.READER)
    assert CANARY not in "".join(traceback.format_exception(refused.value)) + refused.value.message


def test_a_password_is_read_anew_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    database = Database("host=x user=u", file)
    with pytest.raises(PasswordUnreadable, match=str(file)):
        database.conninfo_now()
    for word in ("it's first", "it's second"):
        file.write_text(f"{word}\n", encoding="utf-8")
        assert psycopg.conninfo.conninfo_to_dict(database.conninfo_now())["password"] == word
    file.write_bytes(b"\xff")
    with pytest.raises(PasswordUnreadable, match="UTF-8"):
        password_of(file, "LTC_DATABASE_PASSWORD_FILE")
    assert PasswordUnreadable(setting="LTC_DATABASE_PASSWORD_FILE", file=file, reason="").code == "password_unreadable"
    with pytest.raises(DatabaseUnreachable):
        Database("host=x", tmp_path).connect(Role.READER)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see postgresql://u:one@two@host/d and more", "see postgresql://u:***@host/d and more"),
        ("kafka://k:word@host:9092", "kafka://k:***@host:9092"),
        ("host=x password=word user=u", "host=x password=*** user=u"),
        ("host=x password='a word' user=u", "host=x password='a word' user=u".replace("'a word'", "***")),
        ("https://host/d?password=word&user=u", "https://host/d?password=***&user=u"),
        ("postgresql://u@host/d is whole", "postgresql://u@host/d is whole"),
        ("password authentication failed", "password authentication failed"),
    ],
)
def test_passwords_are_taken_out_of_what_is_told(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_a_secret_that_is_known_is_taken_out_wherever_it_stands() -> None:
    conceal("a-known-word")
    conceal("abc")
    assert without_secrets("x a-known-word y abc") == "x *** y abc", "what is too short to be a secret is left"
