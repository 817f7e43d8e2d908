"""Security of Kafka connections: TLS, certificates, SASL. Settings have the meaning that Kafka gives them.

Secrets are read when a client is opened, so that a changed one is used from the next connection on.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ltc_events.kernel.errors import Kind, LtcError

Secret = Callable[[], str]
"""Gives a secret as it is now."""

PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL = "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
PLAIN, OAUTHBEARER = "PLAIN", "OAUTHBEARER"
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")


class CertificateUnusable(LtcError):
    """the certificate or key in {file} is of no use: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = (
        "LTC_KAFKA_CA_FILE, LTC_KAFKA_CERTIFICATE_FILE and LTC_KAFKA_KEY_FILE name PEM files that this user may read, with a "
        "certificate that is valid now, and the key that belongs to it"
    )


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

    def client_settings(self) -> dict[str, Any]:
        """The client's settings with the present secrets. Raises CertificateUnusable, and the errors of a `Secret`."""
        settings: dict[str, Any] = {"security_protocol": self.protocol}
        if self.has_tls:
            settings["ssl_context"] = self.tls_context()
        if self.has_login:
            settings["sasl_mechanism"] = self.mechanism
            if self.mechanism == OAUTHBEARER:
                from ltc_events.bus.access_tokens import ClientCredentials

                settings["sasl_oauth_token_provider"] = ClientCredentials(self)
            else:
                settings |= {
                    "sasl_plain_username": self.username,
                    "sasl_plain_password": self.password() if self.password else "",
                }
        return settings

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the broker's chain and name verified. Raises CertificateUnusable."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file and _present(self.ca_file))
        except ssl.SSLError as error:
            raise CertificateUnusable(file=self.ca_file, reason="it holds no certificate in PEM") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate_file:
            _refuse_expired(self.certificate_file)
            key = self.key_file or self.certificate_file
            password = self.key_password() if self.key_password else ""
            try:
                # Without a password the library would ask for one on the terminal.
                context.load_cert_chain(_present(self.certificate_file), _present(key), lambda: password)
            except (ssl.SSLError, ValueError) as error:
                reason = "it is no key of that certificate, or its password is another one"
                raise CertificateUnusable(file=key, reason=reason) from error
        return context


def _present(file: Path) -> Path:
    try:
        file.open("rb").close()
    except OSError as error:
        raise CertificateUnusable(file=file, reason=error.strerror or "it cannot be read") from error
    return file


def _refuse_expired(file: Path) -> None:
    """Refuse an expired certificate here: the broker would only answer that it is unknown."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(_present(file).read_bytes())
    except ValueError as error:
        raise CertificateUnusable(file=file, reason="it holds no certificate in PEM") from error
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        raise CertificateUnusable(file=file, reason=f"it expired at {certificate.not_valid_after_utc.isoformat()}")
    if now < certificate.not_valid_before_utc:
        raise CertificateUnusable(file=file, reason=f"it is not valid before {certificate.not_valid_before_utc.isoformat()}")
