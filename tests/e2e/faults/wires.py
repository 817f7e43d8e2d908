"""A wire that can be cut: a TCP proxy that passes on bytes and knows nothing of what they mean."""

import socket
import threading
from contextlib import suppress

from ltc_events.bus.local_broker import free_port

CHUNK_BYTES = 65_536


class Wire:
    """Stands before a server on 127.0.0.1, at a port of its own, which stays the same while the server is away."""

    def __init__(self) -> None:
        self._target = 0
        self._live: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0

    def up(self, target: int) -> None:
        """Take connections to the server's port."""
        self._target = target
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Take no more connections, and cut those that there are."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Cut all connections; how many. New ones are taken."""
        with self._lock:
            live, self._live = self._live, set()
        for one in live:
            _end(one)
        self.cuts += len(live) // 2
        return len(live) // 2

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._live |= {client, server}
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, drain: socket.socket) -> None:
        try:
            while chunk := source.recv(CHUNK_BYTES):
                drain.sendall(chunk)
        except OSError:
            _end(source)
        _end(drain)
        with self._lock:
            self._live -= {source}
        source.close()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
