"""The port over which a worker is watched minds neither those who go away early nor what they leave behind."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.broker import until

from ltc_events.workers.endpoint import _Handler, _Server
from ltc_events.workers.health import Verdict

WELL = Verdict(True, "relay", "working", "nothing waits for it", 0, 0.0, 0.0, 0.1, 0.0)
AT_ONCE = struct.pack("ii", 1, 0)
"""Close without waiting for what is still to come: the other side gets an error where it writes."""
WAIT_MS = 60_000


class _Listening(_Server):
    """Keeps the server's end of the last connection."""

    connection: socket.socket

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connection = request
        super().process_request(request, client_address)

    def has_heard_of_the_end(self) -> bool:
        """Whether word has come that the other side is gone: until then, a small answer is sent as if somebody were there."""
        poll = select.poll()
        poll.register(self.connection, 0)  # errors are told in any case
        return bool(poll.poll(WAIT_MS))


@contextmanager
def serving(verdict: Callable[[], Verdict]) -> Iterator[_Listening]:
    server = _Listening(("127.0.0.1", 0), _Handler)
    server.verdict = verdict
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(server: _Listening) -> socket.socket:
    client = socket.create_connection(server.server_address)
    client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
    return client


def test_a_watcher_that_goes_away_before_the_answer_leaves_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    is_asked = threading.Event()

    def verdict() -> Verdict:
        is_asked.set()
        assert server.has_heard_of_the_end()
        return WELL

    with capture_logs() as logged, serving(verdict) as server:
        client = asked(server)
        assert is_asked.wait(WAIT_MS / 1000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        client.close()
        until(lambda: bool(logged))
    assert [(one["event"], one["log_level"]) for one in logged] == [("watcher_gone", "debug")]
    assert not capsys.readouterr().err


def test_a_page_that_fails_is_told_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def verdict() -> Verdict:
        raise ZeroDivisionError

    with capture_logs() as logged, serving(verdict) as server:
        with asked(server) as client:
            assert client.recv(1) == b""
        until(lambda: bool(logged))
    assert [(one["event"], one["log_level"]) for one in logged] == [("page_failed", "error")]
    assert not capsys.readouterr().err
