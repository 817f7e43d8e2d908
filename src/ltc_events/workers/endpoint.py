"""The monitoring port of a worker: /metrics for Prometheus, /healthz for health checks."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import structlog
from prometheus_client.exposition import choose_encoder

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.workers.health import Checkup, Probe, Verdict, Watch
from ltc_events.workers.metrics import MEASURED, REGISTRY
from ltc_events.workers.monitoring_options import MonitoringOptions

log = structlog.get_logger()


class PortTaken(LtcError):
    """metrics cannot be offered on {host} port {port}: {reason}"""

    kind = Kind.DEFECT
    remedy = "choose another port with --metrics-port or LTC_METRICS_PORT: each worker on a machine needs its own"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    verdict: Callable[[], Verdict]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect before the answer."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            log.debug("watcher_gone", client=str(client_address), reason=str(error))
        else:
            log.error("page_failed", client=str(client_address), exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """Serve the two pages."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._send(HTTPStatus.OK, content_type, encode(REGISTRY))
        elif path == "/healthz":
            verdict = self.server.verdict()
            status = HTTPStatus.OK if verdict.healthy else HTTPStatus.SERVICE_UNAVAILABLE
            self._send(status, "application/json", orjson.dumps(verdict.document(), option=orjson.OPT_APPEND_NEWLINE))
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"there are /metrics and /healthz\n")

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests."""

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def watched(name: str, watching: MonitoringOptions, open_probe: Callable[[], Probe] | None) -> Iterator[Watch]:
    """A Watch for the worker `name`, served as `watching` says while the block runs. Raises PortTaken."""
    watch = Watch(name)
    if watching.port is None:
        yield watch
        return
    checkup = Checkup(watch, open_probe, unhealthy_after_s=watching.unhealthy_after_s)
    try:
        server = _Server((watching.host, watching.port), _Handler)
    except OSError as error:
        raise PortTaken(host=watching.host, port=watching.port, reason=error) from error
    server.verdict = checkup.verdict
    MEASURED.readings = checkup.readings
    checkup.start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="ltc-http", daemon=True).start()
    try:
        yield watch
    finally:
        checkup.close()
        server.shutdown()
        server.server_close()
