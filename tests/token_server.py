"""A server that gives tokens by OAuth 2.0's client credentials, signed so that a broker can check them."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "kafka"


class TokenServer:
    """Knows clients by id and secret. `asked` counts what it was asked for; `life_s` is how long its tokens live."""

    def __init__(self, folder: Path, clients: dict[str, str]) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self.clients, self.asked, self.life_s, self.url = clients, 0, 300, ""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        self.keys_file = folder / "jwks.json"
        self.keys_file.write_text(json.dumps({"keys": [key]}), encoding="utf-8")

    def token(self, client: str) -> str:
        now = int(time.time())
        claims = {"sub": client, "aud": AUDIENCE, "iat": now, "exp": now + self.life_s, "scope": "kafka", "iss": "tests"}
        signed = f"{_json({'alg': 'RS256', 'kid': '1'})}.{_json(claims)}"
        return f"{signed}.{_text(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def answer(self, authorization: str, body: str) -> tuple[int, dict[str, Any]]:
        self.asked += 1
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if self.clients.get(unquote_plus(client)) != unquote_plus(secret):
            return 401, {"error": "invalid_client", "error_description": f"not {secret}"}
        if parse_qs(body) != {"grant_type": ["client_credentials"], "scope": ["kafka"]}:
            return 400, {"error": "invalid_scope"}
        return 200, {"access_token": self.token(unquote_plus(client)), "token_type": "bearer", "expires_in": self.life_s}

    @contextmanager
    def serving(self) -> Iterator["TokenServer"]:
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = tokens.answer(self.headers["Authorization"], body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}/token"
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _json(document: dict[str, Any]) -> str:
    return _text(json.dumps(document).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))
