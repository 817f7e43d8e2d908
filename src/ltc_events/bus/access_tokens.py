"""Access tokens for SASL OAUTHBEARER by OAuth 2.0 client credentials (RFC 6749, 4.4), renewed before they expire."""

import http.client
import json
import ssl
import threading
import time
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from kafka.net.sasl.oauth import AbstractTokenProvider

from ltc_events.bus.security import Security
from ltc_events.kernel.errors import Kind, LtcError

TIMEOUT_S = 5
# Of its life, how much of it a token is used for; and how long one lives whose life is not told.
USED = 0.8
LIFE_S = 60.0
ANSWER_BYTES_MAX = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class TokenRefused(LtcError):
    """{url} gives {client} no token for Kafka: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = (
        "check LTC_KAFKA_TOKEN_URL (https), LTC_KAFKA_USERNAME (the client's id), the secret in the file of "
        "LTC_KAFKA_PASSWORD_FILE and LTC_KAFKA_TOKEN_SCOPE with whoever runs that server"
    )


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Caches a token and requests another one before it expires. Thread-safe."""

    def __init__(self, security: Security) -> None:
        super().__init__()
        self._security = security
        self._token = ""
        self._until = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token with time left before it expires. Raises TokenRefused, and the errors of the secret."""
        with self._lock:
            if time.monotonic() >= self._until:
                asked_at = time.monotonic()
                answer = self._ask()
                self._token = str(answer["access_token"])
                self._until = asked_at + USED * _life(answer)
            return self._token

    def _ask(self) -> dict[str, Any]:
        security = self._security
        form = {"grant_type": "client_credentials"} | ({"scope": security.token_scope} if security.token_scope else {})
        # Both parts are encoded as a form is, before they are joined (RFC 6749, 2.3.1).
        pair = f"{quote_plus(security.username)}:{quote_plus(security.password() if security.password else '')}"
        headers = {
            "Authorization": f"Basic {b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        try:
            connection, path = self._connection()
            try:
                connection.request("POST", path, urlencode(form), headers)
                response = connection.getresponse()
                body = response.read(ANSWER_BYTES_MAX)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._refused(str(error) or type(error).__name__) from error
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {}
        if response.status != http.client.OK or not isinstance(answer.get("access_token"), str):
            # Of what it says, only the code: a description may repeat what was sent.
            raise self._refused(f"it answers {response.status} {_code(answer)}".strip())
        return answer

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        url = urlsplit(self._security.token_url)
        path = url.path or "/"
        path += f"?{url.query}" if url.query else ""
        if url.scheme == "https" and url.hostname:
            context = ssl.create_default_context()
            if self._security.ca_file:
                context.load_verify_locations(self._security.ca_file)
            return http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT_S, context=context), path
        if url.scheme == "http" and url.hostname in LOOPBACK:
            return http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_S), path
        raise self._refused("a secret goes to an https address only")

    def _refused(self, reason: str) -> TokenRefused:
        url = urlsplit(self._security.token_url)
        return TokenRefused(url=f"{url.scheme}://{url.hostname}{url.path}", client=self._security.username, reason=reason)


def _life(answer: dict[str, Any]) -> float:
    try:
        return max(float(answer.get("expires_in", LIFE_S)), 0.0)
    except (TypeError, ValueError):
        return LIFE_S


def _code(answer: dict[str, Any]) -> str:
    code = answer.get("error")
    return code if isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum() and len(code) < 40 else ""
