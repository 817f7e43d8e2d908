"""The settings of Kafka's client for the security of a connection.

Secrets are read when a client is opened, so that a changed one is used from the next connection on.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ltc_events.bus.security import OAUTHBEARER, Security
from ltc_events.kernel.errors import Kind, LtcError


class CertificateUnusable(LtcError):
    """the certificate or key in {file} is of no use: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = (
        "LTC_KAFKA_CA_FILE, LTC_KAFKA_CERTIFICATE_FILE and LTC_KAFKA_KEY_FILE name PEM files that this user may read, with a "
        "certificate that is valid now, and the key that belongs to it"
    )


def client_settings(security: Security) -> dict[str, Any]:
    """The security settings of Kafka's client, by its names, with the present secrets.

    Raises CertificateUnusable, and the errors of a `Secret`.
    """
    settings: dict[str, Any] = {"security_protocol": security.protocol}
    if security.has_tls:
        settings["ssl_context"] = _tls_context(security)
    if security.has_login:
        settings["sasl_mechanism"] = security.mechanism
        if security.mechanism == OAUTHBEARER:
            from ltc_events.bus.access_tokens import ClientCredentials  # it imports Kafka's client

            settings["sasl_oauth_token_provider"] = ClientCredentials(security)
        else:
            settings |= {
                "sasl_plain_username": security.username,
                "sasl_plain_password": security.password() if security.password else "",
            }
    return settings


def _tls_context(security: Security) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the broker's chain and name verified. Raises CertificateUnusable."""
    try:
        context = ssl.create_default_context(cafile=security.ca_file and _present(security.ca_file))
    except ssl.SSLError as error:
        raise CertificateUnusable(file=security.ca_file, reason="it holds no certificate in PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if security.certificate_file:
        _refuse_expired(security.certificate_file)
        key = security.key_file or security.certificate_file
        password = security.key_password() if security.key_password else ""
        try:
            # Without a password the library would ask for one on the terminal.
            context.load_cert_chain(_present(security.certificate_file), _present(key), lambda: password)
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
