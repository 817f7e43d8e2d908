"""The security of Kafka connections, from the settings."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ltc_events.bootstrap.secret_files import read_secret
from ltc_events.bootstrap.settings import SettingInvalid, Settings, variable
from ltc_events.bus.security import OAUTHBEARER, Security


def security_of(settings: Settings) -> Security:
    """The Security of the settings; secret files are read when a connection is made. Raises SettingInvalid."""
    security = Security(
        protocol=settings.kafka_security_protocol,
        ca_file=settings.kafka_ca_file,
        certificate_file=settings.kafka_certificate_file,
        key_file=settings.kafka_key_file,
        key_password=_secret("kafka_key_password_file", settings.kafka_key_password_file),
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_username or "",
        password=_secret("kafka_password_file", settings.kafka_password_file),
        token_url=settings.kafka_token_url or "",
        token_scope=settings.kafka_token_scope or "",
    )
    _refuse_what_does_not_fit(security)
    return security


def _refuse_what_does_not_fit(security: Security) -> None:
    """Refuse incomplete logins, and certificates or passwords that the protocol does not use."""
    given = {
        "kafka_username": bool(security.username),
        "kafka_password_file": security.password is not None,
        "kafka_token_url": bool(security.token_url),
        "kafka_certificate_file": security.certificate_file is not None,
        "kafka_ca_file": security.ca_file is not None,
    }
    login = ["kafka_username", "kafka_password_file"]
    needed = login + (["kafka_token_url"] if security.mechanism == OAUTHBEARER else []) if security.has_login else []
    unused = [] if security.has_login else login
    unused += [] if security.has_tls else ["kafka_certificate_file", "kafka_ca_file"]
    for name in needed:
        if not given[name]:
            raise _invalid(name, f"{security.protocol} with {security.mechanism} needs it")
    for name in unused:
        if given[name]:
            raise _invalid(
                name, f"{security.protocol} makes no use of it: {variable('kafka_security_protocol')} says what is spoken"
            )


def _invalid(name: str, problem: str) -> SettingInvalid:
    return SettingInvalid(name=f"--{name.replace('_', '-')} / {variable(name)}", problem=problem)


def _secret(name: str, file: Path | None) -> Callable[[], str] | None:
    return partial(read_secret, variable(name), file) if file else None
