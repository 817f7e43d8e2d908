"""Security of Kafka connections: TLS, certificates, SASL. Settings have the meaning that Kafka gives them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Secret = Callable[[], str]
"""Gives a secret as it is now."""

PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL = "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
PLAIN, OAUTHBEARER = "PLAIN", "OAUTHBEARER"
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class Security:
    """By default neither TLS nor a login. Files are PEM; without `ca_file` the system's certificate authorities are trusted.

    The broker's host name is always verified against its certificate. With OAUTHBEARER, `username` and `password` are the
    client's id and secret at `token_url`.
    """

    protocol: str = PLAINTEXT
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: Secret | None = None
    mechanism: str = SCRAM[1]
    username: str = ""
    password: Secret | None = None
    token_url: str = ""
    token_scope: str = ""

    @property
    def has_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.protocol in (SSL, SASL_SSL)

    @property
    def has_login(self) -> bool:
        """Whether the client authenticates by SASL."""
        return self.protocol in (SASL_PLAINTEXT, SASL_SSL)

    @property
    def who(self) -> str:
        """The client's identity at the broker, as far as it is known."""
        if self.has_login:
            return self.username
        return f"the owner of {self.certificate_file}" if self.has_tls and self.certificate_file else "who does not say who it is"
