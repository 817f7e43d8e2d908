"""Checks the connection to Kafka, and translates what fails into one line and a fix."""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from kafka.errors import (
    AuthorizationError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ltc_events.bus.client_settings import client_settings
from ltc_events.bus.security import PLAINTEXT, Security
from ltc_events.bus.topics import Bus
from ltc_events.kernel.errors import Kind, LtcError

# Short enough for a worker to notice that it shall stop.
CONNECT_TIMEOUT_MS = 5_000
ATTEMPTS = 3
_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
"""What OpenSSL calls X509_V_ERR_…."""


class BusUnreachable(LtcError):
    """no connection to Kafka at {bootstrap}: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = (
        "check LTC_KAFKA_BOOTSTRAP and that the broker is running; where it asks for TLS or a login, LTC_KAFKA_SECURITY_PROTOCOL"
    )


class BusNotTrusted(BusUnreachable):
    """the certificate of Kafka at {bootstrap} is not to be trusted: {reason}"""

    remedy = "{advice}"


class BusRefusesCertificate(BusUnreachable):
    """Kafka at {bootstrap} does not take our certificate: {reason}"""

    remedy = (
        "LTC_KAFKA_CERTIFICATE_FILE and LTC_KAFKA_KEY_FILE name one that is valid now and that an authority has signed which the "
        "broker trusts"
    )


class BusSpeaksOtherwise(BusUnreachable):
    """Kafka at {bootstrap} does not speak {protocol}: {reason}"""

    remedy = "set LTC_KAFKA_SECURITY_PROTOCOL and LTC_KAFKA_SASL_MECHANISM to what the listener at that port has"


class BusLoginRefused(BusUnreachable):
    """Kafka at {bootstrap} does not let {who} in by {mechanism}"""

    remedy = (
        "check LTC_KAFKA_USERNAME, the password in the file of LTC_KAFKA_PASSWORD_FILE, and that the broker knows both for that "
        "LTC_KAFKA_SASL_MECHANISM"
    )


class BusForbidden(BusUnreachable):
    """Kafka at {bootstrap} does not allow {who} what it needs: {what}"""

    remedy = "give it that right with kafka-acls.sh; docs/operations.md has the list for each worker"


def reach(bus: Bus) -> None:
    """Check that a broker accepts the connection and the login. A client that finds no broker leaves threads behind.

    Raises BusUnreachable and its kinds, CertificateUnusable, TokenRefused, and the errors of the secrets.
    """
    trouble: OSError | ValueError = ValueError("no host:port in it")
    for server in bus.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_MS / 1000).close()
        except (OSError, ValueError) as error:
            trouble = error
        else:
            if bus.security.protocol != PLAINTEXT:
                _log_in(bus, server.strip())
            return
    raise BusUnreachable(bootstrap=bus.bootstrap, reason=trouble)


def trouble(bus: Bus, error: KafkaError, *, topic: str = "") -> BusUnreachable:
    """The error of ours for an error of the client. `topic` names the topic where the client's error does not."""
    where, security = bus.bootstrap, bus.security
    if isinstance(error, SaslAuthenticationFailedError):
        return BusLoginRefused(bootstrap=where, who=security.username, mechanism=security.mechanism)
    if isinstance(error, UnsupportedSaslMechanismError):
        return BusSpeaksOtherwise(bootstrap=where, protocol=security.mechanism, reason="it has no such mechanism there")
    if isinstance(error, AuthorizationError):
        return BusForbidden(bootstrap=where, who=security.who, what=_right(error, topic))
    for one in _causes(error):
        if isinstance(one, ssl.SSLError):
            return _of_tls(where, security, one)
    return BusUnreachable(bootstrap=where, reason=str(error) or type(error).__name__)


def _log_in(bus: Bus, server: str) -> None:
    """Open one connection of the client up to the login."""
    for attempt in range(1, ATTEMPTS + 1):
        settings = client_settings(bus.security)
        if provider := settings.get("sasl_oauth_token_provider"):
            provider.token()  # what is in the way of it is told better here than by a connection that ends
        try:
            _ask(server, f"{bus.prefix}-reach", settings)
        except _Ended as ended:
            # A broker says why, and ends the connection; when both come at once, the client hears the end alone.
            if attempt == ATTEMPTS and ended.at_login and bus.security.has_login:
                raise trouble(bus, SaslAuthenticationFailedError("it ends the connection")) from ended
            if attempt == ATTEMPTS or not ended.at_login:
                raise _otherwise(bus.bootstrap, bus.security, "it ends the connection") from ended
        except KafkaError as error:
            raise trouble(bus, error) from error
        else:
            return


class _Ended(Exception):
    """The broker ended the connection without giving a reason."""

    def __init__(self, *, at_login: bool) -> None:
        super().__init__()
        self.at_login = at_login


def _ask(server: str, name: str, settings: dict[str, Any]) -> None:
    """Connect and send a request that needs no privileges. Raises KafkaError, _Ended."""
    net = NetworkSelector(client_id=name, slow_task_threshold_secs=0)
    manager = KafkaConnectionManager(net, bootstrap_servers=server, client_id=name, **settings)
    (broker, *_) = manager.cluster.bootstrap_brokers()
    at_login = True

    async def ask() -> None:
        nonlocal at_login
        await manager.get_connection(broker.node_id, pop_on_close=False, refresh_metadata_on_err=False)
        at_login = False
        await manager.cluster.refresh_metadata(broker.node_id)

    net.start()
    try:
        manager.run(manager.wait_for, manager.call_soon(ask()), CONNECT_TIMEOUT_MS)
    except KafkaConnectionError as error:
        if any(isinstance(one, OSError) for one in _causes(error)):
            raise
        raise _Ended(at_login=at_login) from error
    finally:
        manager.call_soon(manager.close)
        net.stop(timeout_ms=CONNECT_TIMEOUT_MS)
        net.close()


def _right(error: AuthorizationError, topic: str) -> str:
    named = ", ".join(sorted(map(str, _flat(error.args))))
    if isinstance(error, TopicAuthorizationFailedError):
        return f"the topic {topic or named}"
    if isinstance(error, GroupAuthorizationFailedError):
        return f"the group {named}"
    return f"the cluster ({type(error).__name__})"


def _flat(values: object) -> Iterator[object]:
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        yield values
    else:
        for one in values:
            yield from _flat(one)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from (one for one in error.args if isinstance(one, BaseException))
        error = error.__cause__ or error.__context__


def _of_tls(where: str, security: Security, error: ssl.SSLError) -> BusUnreachable:
    reason = re.sub(r" ?\(_ssl.*", "", str(error.reason or error.strerror or "")).lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        match error.verify_code:
            case code if code == _EXPIRED:
                advice = "whoever runs the broker renews its certificate"
            case code if code == _NOT_YET:
                advice = "look at the clocks of this machine and of who signed it"
            case code if code in (_OTHER_NAME, _OTHER_ADDRESS):
                advice = "LTC_KAFKA_BOOTSTRAP and the broker's advertised.listeners name it as its certificate does"
            case _:
                advice = "LTC_KAFKA_CA_FILE names the certificate of the authority that signed it"
        return BusNotTrusted(bootstrap=where, reason=error.verify_message, advice=advice)
    if "alert" in reason and "version" not in reason:
        return BusRefusesCertificate(
            bootstrap=where, reason=reason if security.certificate_file else "it asks for one, and we have none"
        )
    return _otherwise(where, security, reason)


def _otherwise(where: str, security: Security, reason: str) -> BusSpeaksOtherwise:
    return BusSpeaksOtherwise(bootstrap=where, protocol=security.protocol, reason=reason)
