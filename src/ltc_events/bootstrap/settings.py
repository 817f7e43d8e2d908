"""The settings, in order of precedence: flags, environment, `.env` in the working directory, defaults."""

import getpass
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ltc_events.bootstrap.kafka_fields import KAFKA_FIELDS
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.store.confidential import conceal
from ltc_events.store.home import default_home

PREFIX = "LTC_"
ENV_FILE = ".env"
METRICS_HOST = "127.0.0.1"
UNHEALTHY_AFTER_S = 60.0


class SettingInvalid(LtcError):
    """the setting {name} is not valid: {problem}"""

    kind = Kind.USAGE
    remedy = f"correct it where it is set: as a flag, in the environment, or in {ENV_FILE} in the working directory"


class SettingsUnreadable(LtcError):
    """the settings cannot be read from {file}: {reason}"""

    kind = Kind.USAGE
    remedy = "give this user the right to read it as UTF-8, or move it away"


def login() -> str:
    """The name of the user that this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return "unknown"


def local_user() -> str:
    """The name of the user that the operating system runs this process for, whatever the environment says."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name.encode(errors="replace").decode()
    except ImportError:  # where there are no such users
        return login()
    except KeyError:  # a container may run as a user that has no name
        return str(os.geteuid())


def _kafka(name: str, **more: Any) -> Any:
    """The field of a setting of Kafka, as the table has it."""
    return Field(KAFKA_FIELDS[name].default, description=KAFKA_FIELDS[name].meaning, **more)


class Settings(BaseSettings):
    """All settings, each named as its variable without `LTC_`. An empty variable is unset. Copies are not validated again."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(None, description="PostgreSQL 15 or newer; without it, the embedded server")
    database_password_file: Path | None = Field(
        None,
        description="a file with the password, for a URL without one; read anew at every connection. So is `PGPASSFILE`; "
        "`PGPASSWORD` and a password in the URL are as they were when the process began",
    )
    reader_url: SecretStr | None = Field(
        None,
        description="the PostgreSQL that `report`, `sql`, `find`, `export` and `explain` read, such as a streaming standby; "
        "without it, the database itself",
    )
    reader_password_file: Path | None = Field(
        None, description="a file with the password for it, for a URL without one; read anew at every connection"
    )
    home: Path = Field(
        default_factory=default_home, description="folder of the embedded server; by default in the user's data folder"
    )
    kafka_bootstrap: str | None = _kafka("kafka_bootstrap", repr=False)
    kafka_prefix: str = _kafka("kafka_prefix")
    kafka_source: str | None = _kafka("kafka_source", pattern=r"^[A-Za-z0-9_-]{1,100}$")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _kafka("kafka_security_protocol")
    kafka_ca_file: Path | None = _kafka("kafka_ca_file")
    kafka_certificate_file: Path | None = _kafka("kafka_certificate_file")
    kafka_key_file: Path | None = _kafka("kafka_key_file")
    kafka_key_password_file: Path | None = _kafka("kafka_key_password_file")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = _kafka("kafka_sasl_mechanism")
    kafka_username: str | None = _kafka("kafka_username")
    kafka_password_file: Path | None = _kafka("kafka_password_file")
    kafka_token_url: str | None = _kafka("kafka_token_url")
    kafka_token_scope: str | None = _kafka("kafka_token_scope")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="how the log is written; `auto`: for people on a terminal, else as JSON lines"
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65_535, description="the port where a worker offers `/metrics` and `/healthz`; without it, nowhere"
    )
    metrics_host: str = Field(METRICS_HOST, description="the address that they are offered on; `0.0.0.0`: on all of them")
    unhealthy_after: float = Field(
        UNHEALTHY_AFTER_S,
        ge=0.1,
        description="seconds after which a worker that does not move, waits for a server or cannot be measured is unhealthy",
    )
    notary_key_file: Path | None = Field(
        None,
        description="the file with the keys by which `ltc worker notary` signs; by default `notary.key` in the folder of the "
        "embedded server. Beside it, in `….last`, it keeps what it signed last",
    )
    actor: str = Field(
        default_factory=login,
        description="who does what is done with `ltc projections` and `ltc dead-letters`; by default the login's name",
    )

    def model_post_init(self, _: Any, /) -> None:
        """Register credentials in the settings to be removed from output."""
        for server in (self.kafka_bootstrap or "").split(","):
            credentials = server.rpartition("@")[0]
            conceal(credentials)
            conceal(credentials.rpartition(":")[2])

    @property
    def notary_key(self) -> Path:
        """The file with the notary's keys, existing or not."""
        return (self.notary_key_file or self.home.expanduser() / "notary.key").resolve()

    def given(self, **flags: Any) -> "Settings":
        """These settings with the flags that are not None, without validation."""
        return self.model_copy(update={name: flag for name, flag in flags.items() if flag is not None})

    def environment(self) -> dict[str, str]:
        """Environment variables that give another process the same settings, secrets in clear text."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return {
            variable(name): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }


def variable(field: str) -> str:
    """The environment variable of a field of the settings."""
    return f"{PREFIX}{field.upper()}"


def load_settings(**flags: Any) -> Settings:
    """The settings under these flags; those that are None are not given. Raises SettingInvalid, SettingsUnreadable."""
    try:
        return Settings(**{name: flag for name, flag in flags.items() if flag is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # Without the cause: its trace would show what was given.
        name = str(first["loc"][0])
        raise SettingInvalid(name=f"--{name.replace('_', '-')} / {variable(name)}", problem=first["msg"]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsUnreadable(file=Path(ENV_FILE).resolve(), reason=reason) from None
